"""Who may look and click: the right host, the right origin, the right token, and not too often."""

from __future__ import annotations

import http.client
import json

import pytest

from streamer.errors import ServeError
from streamer.ui.browser.access import token_for
from streamer.ui.browser.address import Address
from streamer.ui.window.hud import Status
from tests.ui.browser.shows import browser, port_of, result

TOKEN = "correct-horse-battery"
PATHS = ("/", "/page.js", "/view", "/mjpeg", "/snapshot.jpg", "/results", "/metrics")


def ask(port, path="/", host=None, method="GET", **headers):
    """Status, headers and text of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers={"Host": host or f"127.0.0.1:{port}", **named})
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, answer.headers, text


@pytest.fixture(scope="module")
def here():
    """A port on the loopback, where nothing has to be shown."""
    with browser() as shown:
        yield port_of(shown)


@pytest.fixture
def afar():
    """A port that other machines can reach."""
    with browser("0.0.0.0", TOKEN) as shown:
        yield port_of(shown)


@pytest.mark.parametrize("host", ["127.0.0.1:{}", "localhost:{}", "[::1]:{}", "127.1.2.3:{}"])
def test_the_loopback_answers_to_its_own_names(here, host):
    assert ask(here, host=host.format(here))[0] == 200


@pytest.mark.parametrize("host", ["evil.example:{}", "localhost.evil.example", "192.168.1.7:{}", "127.0.0.1.evil.com"])
def test_a_name_that_was_led_here_is_refused(here, host):
    """DNS rebinding: the page of evil.example asks its own host, whose name has become 127.0.0.1."""
    for path in PATHS:
        assert ask(here, path, host=host.format(here))[0] == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"])
def test_another_sites_page_is_refused(here, origin):
    assert ask(here, "/view", Origin=origin)[0] == 403
    assert ask(here, "/snapshot.jpg", Origin=origin)[0] == 403


def test_the_views_own_page_is_not(here):
    assert ask(here, "/page.js", Origin=f"http://127.0.0.1:{here}")[0] == 200
    assert ask(here, Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors")[0] == 200


def test_a_picture_in_another_sites_page_is_refused_and_a_link_there_is_not(here):
    assert ask(here, "/snapshot.jpg", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert ask(here, "/snapshot.jpg", Sec_Fetch_Site="same-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert ask(here, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200


def test_answers_say_what_a_browser_may_do_with_them(here):
    headers = ask(here)[1]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_sent_but_over_the_socket(here, method):
    assert ask(here, method=method)[0] == 405


def test_from_elsewhere_everything_needs_the_token_but_health(afar):
    for path in PATHS:
        code, headers, text = ask(afar, path, host="robot:8000")
        assert (code, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "needs its token" in text
        assert TOKEN not in text
    assert ask(afar, "/healthz")[0] == 503
    assert ask(afar, "/metrics", Authorization=f"Bearer {TOKEN}")[0] == 200
    assert ask(afar, f"/metrics?token={TOKEN}")[0] == 200
    assert ask(afar, "/metrics", Cookie=f"streamer-{afar}={TOKEN}")[0] == 200
    assert ask(afar, "/metrics", Cookie=f"streamer-1={TOKEN}")[0] == 401


def test_the_token_goes_from_the_address_into_a_cookie(afar):
    code, headers, _ = ask(afar, f"/?token={TOKEN}")
    assert (code, headers["Location"]) == (303, "/")
    cookie = headers["Set-Cookie"]
    assert f"streamer-{afar}={TOKEN}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_token_cannot_be_tried_out(afar):
    codes = [ask(afar, "/metrics", Authorization=f"Bearer wrong-{number}")[0] for number in range(15)]
    assert codes == [401] * 10 + [429] * 5
    assert ask(afar, "/metrics", Authorization=f"Bearer {TOKEN}")[0] == 429


def test_too_many_requests_are_refused():
    with browser() as shown:
        codes = [ask(port_of(shown), "/icon.svg")[0] for _ in range(90)]
    assert codes[:60] == [200] * 60
    assert 429 in codes


def test_a_dashboard_that_has_the_token_may_show_the_picture():
    with browser("0.0.0.0", TOKEN) as shown:
        shown.show(result(0), Status())
        asked = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"}
        assert ask(port_of(shown), f"/icon.svg?token={TOKEN}", **asked)[0] == 200
        assert ask(port_of(shown), f"/icon.svg?token={TOKEN}")[1]["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert ask(port_of(shown), "/icon.svg", Cookie=f"streamer-{port_of(shown)}={TOKEN}", **asked)[0] == 403


def test_a_token_is_made_where_others_can_reach_it_and_nowhere_else():
    assert token_for(Address("127.0.0.1", 80), None) is None
    made = {token_for(Address("0.0.0.0", 80), None) for _ in range(5)}
    assert len(made) == 5
    assert all(len(token) >= 20 for token in made)
    assert token_for(Address("127.0.0.1", 80), TOKEN) == TOKEN


@pytest.mark.parametrize("token", ["", "short", "with a space in it", "naïve-and-not-ascii"])
def test_a_token_that_can_be_guessed_or_not_be_typed_is_refused(token):
    with pytest.raises(ServeError, match="at least 12 ASCII"):
        token_for(Address("0.0.0.0", 80), token)


def test_health_tells_nothing_else(afar):
    assert json.loads(ask(afar, "/healthz")[2]) == {"state": "waiting for the first frame"}
