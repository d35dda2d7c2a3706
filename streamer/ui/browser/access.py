"""Who may look and click: the right host, the right origin, the right token, and not too often.

On the loopback anyone on this machine may, but no page of another site: a browser sends requests to 127.0.0.1 for any
page that asks it to, and a name of that page's own may lead there as well (DNS rebinding). So the host must be one that
can mean nothing else, and the origin must be that host.
"""

from __future__ import annotations

import secrets
import time
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from streamer.errors import ServeError
from streamer.ui.browser.address import Address, is_loopback
from streamer.ui.browser.rates import Buckets

OPEN_PATHS = frozenset({"/healthz"})
"""Asked by supervisors, which know no token, and telling nothing but that it runs."""
_SHORTEST_TOKEN = 12
_REQUESTS_HZ, _REQUESTS_AT_ONCE = 20.0, 60
_WRONG_TOKENS_HZ, _WRONG_TOKENS_AT_ONCE = 0.1, 10
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def token_for(address: Address, given: str | None) -> str | None:
    """The token that is asked for there: the one that was given, a new one, or none on the loopback.

    Raises:
        ServeError: The one given can be guessed.
    """
    if given is None:
        return None if address.is_loopback else secrets.token_urlsafe(16)
    if len(given) < _SHORTEST_TOKEN or not given.isascii() or not given.isprintable() or " " in given:
        raise ServeError(f"The token must be at least {_SHORTEST_TOKEN} ASCII letters or digits without a space.")
    return given


class Access:
    """Lets requests in or refuses them.

    Args:
        address: Where it is served.
        token: What has to be shown; None for nothing, on the loopback.
    """

    def __init__(self, address: Address, token: str | None) -> None:
        self._address, self._token = address, token
        self._requests = Buckets(_REQUESTS_HZ, _REQUESTS_AT_ONCE)
        self._wrong_tokens = Buckets(_WRONG_TOKENS_HZ, _WRONG_TOKENS_AT_ONCE)

    @property
    def cookie(self) -> str:
        """Name of the cookie; cookies know no ports."""
        return f"streamer-{self._address.port}"

    def middleware(self) -> Middleware:
        """For the application."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._check_rate(request)
            self._check_origin(request)
            if request.path not in OPEN_PATHS:
                self._check_token(request)
            if self._token is not None and "token" in request.query and request.path == "/":
                return self._keep_token()
            return await handler(request)

        return guard

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Say what a browser may do with the answer; a signal handler of the application."""
        response.headers.update(_HEADERS)
        if self._token is not None and self._shown(request) and "Origin" not in request.headers:
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # a dashboard that has the token

    def _check_rate(self, request: web.Request) -> None:
        if not self._requests.of(request.remote or "").take(time.monotonic()):
            raise web.HTTPTooManyRequests(text="Too many requests: wait a moment.\n", headers={"Retry-After": "1"})

    def _check_origin(self, request: web.Request) -> None:
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
        if self._address.is_loopback and not is_loopback(host):
            raise web.HTTPForbidden(text="This view answers to 127.0.0.1 and localhost only.\n")
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("Host", "").lower():
            raise web.HTTPForbidden(text="Another site's page may not use this view.\n")
        foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        if foreign and request.headers.get("Sec-Fetch-Mode") != "navigate" and not self._shown(request):
            raise web.HTTPForbidden(text="Another site's page may not use this view.\n")

    def _check_token(self, request: web.Request) -> None:
        if self._token is None:
            return
        wrong = self._wrong_tokens.of(request.remote or "")
        now_s = time.monotonic()
        if wrong.left(now_s) < 1:
            raise web.HTTPTooManyRequests(text="Too many wrong tokens: wait a minute.\n", headers={"Retry-After": "60"})
        shown = self._shown(request) or request.cookies.get(self.cookie, "")
        if not secrets.compare_digest(shown.encode(), self._token.encode()):
            if shown:
                wrong.take(now_s)
            raise web.HTTPUnauthorized(
                text="This view needs its token: open the address that streamer has printed, with ?token= in it, or "
                "send it as `Authorization: Bearer TOKEN`.\n",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _shown(self, request: web.Request) -> str:
        """The token that the request itself shows; a cookie is shown by the browser, whoever makes it ask."""
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        return value.strip() if kind.lower() == "bearer" else request.query.get("token", "")

    def _keep_token(self) -> web.StreamResponse:
        """Keep it as a cookie, and take it out of the address, where shoulders and histories see it."""
        assert self._token is not None
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(self.cookie, self._token, httponly=True, samesite="Strict", path="/")
        return answer
