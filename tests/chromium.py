"""A real browser without a screen, driven by its DevTools protocol: a page, a mouse, a finger, and what they show."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",  # it does not start otherwise as root, as in containers
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
)


def chromium() -> str:
    """The program; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


class Page:
    """One page of a browser of its own. A context manager.

    Args:
        folder: Where the browser keeps its things.
        size: (width, height) of the page [CSS px].
        phone: Whether it has a finger instead of a mouse, and three pixels for one.
    """

    def __init__(self, folder: Path, size: tuple[int, int] = (1280, 800), phone: bool = False) -> None:
        self._folder, self._size, self._phone = folder, size, phone
        self._numbers = itertools.count(1)

    def __enter__(self) -> Page:
        self._process = subprocess.Popen(
            [chromium(), *_FLAGS, f"--user-data-dir={self._folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "DISPLAY"},
        )
        assert self._process.stderr is not None
        address = next((found for line in self._process.stderr if (found := re.search(r"ws://\S+", line))), None)
        assert address is not None, "Chromium did not start"
        self._runner = asyncio.Runner()
        self._runner.run(self._connect(address.group()))
        width, height = self._size
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=3 if self._phone else 1,
            mobile=self._phone,
        )
        if self._phone:
            self.call("Emulation.setTouchEmulationEnabled", enabled=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._disconnect())
        self._runner.close()
        self._process.kill()
        self._process.communicate()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol; its answer."""
        return self._runner.run(self._call(method, self._session, parameters))

    def open(self, url: str) -> None:
        """Go there."""
        self.call("Page.navigate", url=url)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in JavaScript."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str, limit_s: float = 60.0) -> Any:
        """The value of an expression once it is true."""
        end_s = time.monotonic() + limit_s
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < end_s, f"{expression} did not become true within {limit_s:g} s"
            time.sleep(0.05)
        return value

    def mouse(self, x: float, y: float, button: str = "left", to: tuple[float, float] | None = None) -> None:
        """Press a button of the mouse there, and release it there or elsewhere [CSS px]."""
        common = {"button": button, "buttons": 2 if button == "right" else 1, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.call("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **common)
        if to is not None:
            x, y = to
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, **common)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, **common)

    def finger(self, x: float, y: float, seconds: float = 0.0, to: tuple[float, float] | None = None) -> None:
        """Put a finger there, for so long, and lift it there or elsewhere [CSS px]."""
        touches = [("touchStart", (x, y)), *([] if to is None else [("touchMove", to)]), ("touchEnd", None)]
        events = [
            {"type": kind, "touchPoints": [] if at is None else [{"x": at[0], "y": at[1]}]} for kind, at in touches
        ]
        if seconds:
            self.call("Input.dispatchTouchEvent", **events.pop(0))
            time.sleep(seconds)
        # In one go: a busy machine would make a long press of a tap.
        self._runner.run(self._call_all("Input.dispatchTouchEvent", events))

    def key(self, key: str) -> None:
        """Press and release a key that has a letter."""
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def screenshot(self, path: Path) -> None:
        """Save what is seen as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    async def _connect(self, url: str) -> None:
        self._client = aiohttp.ClientSession()
        self._socket = await self._client.ws_connect(url, max_msg_size=0)
        target = await self._call("Target.createTarget", None, {"url": "about:blank"})
        attached = await self._call("Target.attachToTarget", None, {"targetId": target["targetId"], "flatten": True})
        self._session = attached["sessionId"]

    async def _disconnect(self) -> None:
        await self._socket.close()
        await self._client.close()

    async def _call_all(self, method: str, each: list[dict[str, Any]]) -> None:
        await asyncio.gather(*(self._send(method, self._session, parameters) for parameters in each))
        for _ in each:
            while "id" not in json.loads(await self._socket.receive_str(timeout=60)):
                pass

    async def _send(self, method: str, session: str | None, parameters: dict[str, Any]) -> int:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(message if session is None else {**message, "sessionId": session})
        return number

    async def _call(self, method: str, session: str | None, parameters: dict[str, Any]) -> dict[str, Any]:
        number = await self._send(method, session, parameters)
        while (answer := json.loads(await self._socket.receive_str(timeout=60))).get("id") != number:
            pass
        assert "error" not in answer, answer["error"]
        return answer["result"]
