"""The window: shows drawings, and turns the mouse and the keyboard into events. Only the main thread may use it."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from streamer.data.result import Result
from streamer.errors import DisplayError
from streamer.ui import drawing
from streamer.ui.drawing import BACKGROUND
from streamer.ui.window import events, hud, sidebar
from streamer.ui.window.display import display_available
from streamer.ui.window.distance_entry import DistanceEntry
from streamer.ui.window.hud import Pointer, Status
from streamer.ui.window.layout import Layout, Point
from streamer.ui.window.phrase_line import OPEN, PhraseLine
from streamer.ui.window.x11_repaint import wake_until_painted

_DRAG_PX = 5
_CLICK_SHOWN_S = 0.8
_REDRAW_S = 0.025
_NAP_S = 0.01
_TAB, _ESCAPE, _DELETES = 9, 27, (0xFFFF, 127, 0x2E0000, 63272)
_KEYS: dict[int, events.Event] = {
    ord("n"): events.NewObject(),
    ord("d"): events.Delete(),
    ord("u"): events.Undo(),
    ord(" "): events.Pause(),
    ord("m"): events.ToggleMasks(),
    ord("t"): events.CycleDepth(),
    ord("s"): events.Snapshot(),
    ord("r"): events.ToggleRecord(),
    ord("k"): events.ForceKeyframe(),
    _TAB: events.CycleLevel(),
    ord("."): events.TurnPage(1),
    ord(","): events.TurnPage(-1),
    ord("q"): events.Quit(),
    _ESCAPE: events.Quit(),
    **dict.fromkeys(_DELETES, events.Delete()),
}


class Window:
    """A resizable window that keeps the aspect of what it shows. Once closed, it stays closed.

    Args:
        title: What its title bar says.
        size: (width, height) of the drawings to come [px], for its first size.

    Raises:
        DisplayError: No window can be shown here.
    """

    _count = 0

    def __init__(self, title: str, size: tuple[int, int]) -> None:
        reason = display_available()
        if reason:
            raise DisplayError(reason)
        # Qt finds its windows by an ASCII name; the title may hold anything.
        Window._count += 1
        self._name = f"streamer-{Window._count}"
        self._events: deque[events.Event] = deque()
        self._clicks: deque[tuple[float, float, float, int]] = deque(maxlen=8)
        self._pointer = Pointer()
        self._entry: DistanceEntry | None = None
        self._help_open = self._changed = False
        self._objects_open = True
        self._phrase = PhraseLine()
        self._drawn_at_s = 0.0
        self._shown: tuple[drawing.Image, Result, Status] | None = None
        self._layout: Layout | None = None
        self._canvas = np.empty((0, 0, 3), np.uint8)
        self._bgr = np.empty((0, 0, 3), np.uint8)
        self._size = Layout.first(size, self._objects_open)
        self.closed = False
        cv2.namedWindow(self._name, cv2.WINDOW_NORMAL | cv2.WINDOW_FREERATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(self._name, *self._size)
        cv2.setWindowTitle(self._name, title)
        cv2.setMouseCallback(self._name, self._on_mouse)

    def show(self, drawing: drawing.Image, result: Result, status: Status | None = None) -> None:
        """Show a drawing of a result, ``(H, W, 3)`` or ``(H, 2 W, 3)`` uint8 RGB, with what belongs around it."""
        if self._shown is not None and self._shown[0].shape != drawing.shape:
            self._fit_to((drawing.shape[1], drawing.shape[0]))
        self._shown = drawing, result, status or Status()
        self._redraw()

    def rename(self, title: str) -> None:
        """What its title bar says from now on."""
        if not self.closed and self._visible():
            cv2.setWindowTitle(self._name, title)

    def poll(self, wait_ms: int = 1) -> list[events.Event]:
        """What the person did since the last call; waits at most about ``wait_ms`` for it, and redraws when needed."""
        if self.closed:
            return []
        # Returns as soon as a key is pressed, so clicks reported meanwhile came before it. Only of what piled up since
        # the last call, within one frame, does OpenCV not tell the order, nor any key but the last.
        code = self._wait_for_key(wait_ms / 1000)
        if not self._visible():
            self.close()
            return [*self._take(), events.Quit()]
        if code != -1:
            self._on_key(code)
        due = time.monotonic() - self._drawn_at_s > _REDRAW_S
        if due and (self._changed or self._clicks or self._canvas_size() != self._canvas.shape[1::-1]):
            self._redraw()
        return self._take()

    def close(self) -> None:
        """Close it. May be called twice."""
        if self.closed:
            return
        self.closed = True
        if self._visible():
            cv2.destroyWindow(self._name)
            cv2.waitKey(1)

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait_for_key(self, limit_s: float) -> int:
        # Not in waitKeyEx: Qt 5 loses up to a tenth of the events that arrive while it waits there for more.
        end_s = time.monotonic() + limit_s
        while (code := cv2.waitKeyEx(1)) == -1 and (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _NAP_S))
        return code

    def _take(self) -> list[events.Event]:
        taken = list(self._events)
        self._events.clear()
        return taken

    def _visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._name, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # Qt raises once the last window is gone
            return False

    def _canvas_size(self) -> tuple[int, int]:
        _, _, width, height = cv2.getWindowImageRect(self._name)
        return (width, height) if width > 0 and height > 0 else self._size

    def _fit_to(self, drawing_size: tuple[int, int]) -> None:
        """Take the size that suits drawings of this (width, height), unless the person has chosen another one."""
        if self.closed or not self._visible() or self._canvas_size() != self._size:
            return
        self._size = Layout.first(drawing_size, self._objects_open)
        cv2.resizeWindow(self._name, *self._size)

    def _redraw(self) -> None:
        # imshow would open a closed window again.
        if self._shown is None or self.closed or not self._visible():
            return
        drawing, result, status = self._shown
        size = drawing.shape[1], drawing.shape[0]
        layout = Layout.fit(self._canvas_size(), size, result.frame.size, self._objects_open)
        if layout != self._layout:
            width, height = layout.canvas_size
            self._layout = layout
            self._canvas = np.full((height, width, 3), BACKGROUND, np.uint8)
            self._bgr = np.empty_like(self._canvas)
        x0, y0, x1, y1 = layout.area
        # Plain sampling below half size would drop every other pixel, and with it thin contours.
        shrinks = layout.scale <= 0.5
        cv2.resize(
            drawing,
            (x1 - x0, y1 - y0),
            dst=self._canvas[y0:y1, x0:x1],
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
        now_s = time.monotonic()
        while self._clicks and now_s - self._clicks[0][0] > _CLICK_SHOWN_S:
            self._clicks.popleft()
        pointer = replace(self._pointer, clicks=tuple((x, y, label) for _, x, y, label in self._clicks))
        if pointer.dragged_from and not self._is_drag(pointer.at):
            pointer = replace(pointer, dragged_from=None)
        if self._entry is not None:
            status = replace(status, message=self._entry.prompt)
        hud.draw(self._canvas, layout, result, status, pointer, self._help_open, self._objects_open)
        self._phrase.draw(self._canvas, layout)
        cv2.imshow(self._name, cv2.cvtColor(self._canvas, cv2.COLOR_RGB2BGR, dst=self._bgr))
        if self._drawn_at_s == 0 and sys.platform == "linux":
            threading.Thread(target=wake_until_painted, name="waking", daemon=True).start()
        self._drawn_at_s, self._changed = now_s, False

    def _on_key(self, code: int) -> None:
        # GTK sets higher bits for modifiers; arrows and the like are letters above a byte.
        key = code if code in _DELETES else code & 0xFFFF
        self._changed = True
        if self._entry is not None:
            self._type(key, self._entry)
        elif self._phrase.text is not None:
            self._events.extend(filter(None, [self._phrase.key(key)]))
        elif key in (ord("c"), ord("C")):
            self._begin_distance()
        elif key == OPEN:
            self._phrase.text = ""
        elif key in (ord("h"), ord("H"), ord("?")) or (key == _ESCAPE and self._help_open):
            self._help_open = not self._help_open
        elif key in (ord("o"), ord("O")):
            self._toggle_objects()
        elif ord("1") <= key <= ord("9"):
            self._select(key - ord("0"))
        elif event := _KEYS.get(ord(chr(key).lower()) if key < 128 else key):
            self._events.append(event)

    def _begin_distance(self) -> None:
        at = self._pointer.at
        if self._layout is not None and at is not None and self._layout.covers(at):
            self._entry = DistanceEntry(*self._layout.to_frame(at))

    def _type(self, key: int, entry: DistanceEntry) -> None:
        if (known := entry.press(key)) is not None:
            self._events.append(known)
        if entry.done:
            self._entry = None

    def _toggle_objects(self) -> None:
        self._objects_open = not self._objects_open
        if self._shown is not None:
            self._fit_to((self._shown[0].shape[1], self._shown[0].shape[0]))

    def _select(self, object_id: int) -> None:
        if self._shown and any(track.id == object_id for track in self._shown[1].tracks):
            self._events.append(events.SelectObject(object_id))

    def _on_mouse(self, kind: int, x: int, y: int, flags: int, data: Any) -> None:
        # HighGUI reports positions in pixels of the image it was given last: of the canvas.
        if self._layout is None:
            return
        at = float(x), float(y)
        self._pointer = replace(self._pointer, at=at)
        self._changed = True
        if kind in (cv2.EVENT_LBUTTONDOWN, cv2.EVENT_LBUTTONDBLCLK):
            self._press(at, self._layout)
        elif kind == cv2.EVENT_LBUTTONUP and self._pointer.dragged_from:
            self._release(at, self._pointer.dragged_from, self._layout)
        elif kind in (cv2.EVENT_RBUTTONDOWN, cv2.EVENT_RBUTTONDBLCLK) and self._layout.covers(at):
            self._click(at, 0, self._layout)

    def _press(self, at: Point, layout: Layout) -> None:
        tracks = self._shown[1].tracks if self._shown and self._objects_open else ()
        for (x0, y0, x1, y1), object_id in sidebar.list_rows(layout, tracks):
            if x0 <= at[0] < x1 and y0 <= at[1] < y1:
                self._events.append(events.SelectObject(object_id))
                return
        if layout.covers(at):
            self._pointer = replace(self._pointer, dragged_from=at)

    def _release(self, at: Point, start: Point, layout: Layout) -> None:
        dragged = self._is_drag(at)
        self._pointer = replace(self._pointer, dragged_from=None)
        if not dragged:
            self._click(start, 1, layout)
            return
        (xa, ya), (xb, yb) = layout.to_frame(start), layout.to_frame(at, start)
        if xa != xb and ya != yb:
            self._events.append(events.DragBox(min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)))

    def _is_drag(self, at: Point | None) -> bool:
        start = self._pointer.dragged_from
        return bool(at and start and max(abs(at[0] - start[0]), abs(at[1] - start[1])) >= _DRAG_PX)

    def _click(self, at: Point, label: int, layout: Layout) -> None:
        self._clicks.append((time.monotonic(), *at, label))
        self._events.append(events.Click(*layout.to_frame(at), label))
