"""Draws a world at a moment: backdrop, shadows, objects, and the finish of the lens."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.synthetic.canvas import Canvas
from streamer.synthetic.demo import demo
from streamer.synthetic.geometry import Lens, Matrix, shift
from streamer.synthetic.layout import Placed, build
from streamer.synthetic.patch import Patch, Patches
from streamer.synthetic.quadric import Quadric, Quadrics
from streamer.synthetic.solids import shadow_texture
from streamer.synthetic.surfaces import CORNERS, FULL, NEAR_M, SAMPLE, Light, Part, from_unit_square

KEPT = 2


class Renderer:
    """Renders any moment of one world; keeps the canvases of the last two."""

    def __init__(self, seed: int, size: tuple[int, int], objects: int, style: str | None, twins: bool = False) -> None:
        is_demo = seed == 0 and style != "indoor" and not twins
        self.world = demo(objects) if is_demo else build(seed, objects, style, twins)
        self.lens = Lens(size, max(size[0], size[1]) / 2 / np.tan(self.world.field_of_view / 2))
        self._canvases: OrderedDict[float, Canvas] = OrderedDict()
        self._shadow = shadow_texture()
        owned = [(body, id) for id, placed in enumerate(self.world.placed, start=1) for body in placed.thing.bodies]
        parts = [(surface, i, id) for i, (body, id) in enumerate(owned, start=1) for surface in body.surfaces]
        self._patches = Patches([Part(surface, i, id) for surface, i, id in parts if isinstance(surface, Patch)])
        self._quadrics = Quadrics([Part(surface, i, id) for surface, i, id in parts if isinstance(surface, Quadric)])

    def image(self, t: float) -> NDArray[np.uint8]:
        """The picture at time t, ``(H, W, 3)`` uint8 RGB."""
        image = cv2.cvtColor(self.canvas(t).image, cv2.COLOR_RGBA2RGB)
        soft = cv2.GaussianBlur(image, (3, 3), 0.55)
        return cv2.multiply(soft, self._finish, dst=image, scale=1 / FULL)

    def canvas(self, t: float) -> Canvas:
        """Everything drawn at time t, before the lens; owned by the renderer and soon drawn over."""
        if t in self._canvases:
            self._canvases.move_to_end(t)
            return self._canvases[t]
        canvas = self._canvases.popitem(last=False)[1] if len(self._canvases) == KEPT else Canvas(self.lens)
        self._draw(canvas, t)
        self._canvases[t] = canvas
        return canvas

    def poses(self, t: float) -> list[Matrix]:
        """Camera from body at time t for every rigid body, in the order of ``Canvas.body``; 0 is the world itself."""
        poses = [camera := self.world.camera(t)]
        for placed in self.world.placed:
            thing = camera @ placed.pose(t)
            poses += [thing @ body.motion(t) for body in placed.thing.bodies]
        return poses

    @cached_property
    def object_of_body(self) -> NDArray[np.uint8]:
        """The object id of every rigid body; 0 for the world itself."""
        ids = [id for id, p in enumerate(self.world.placed, start=1) for _ in p.thing.bodies]
        return np.array([0, *ids], np.uint8)

    @cached_property
    def _finish(self) -> NDArray[np.uint8]:
        """Tint of the light and vignette of the lens as factors, ``FULL`` is one."""
        width, height = self.lens.size
        y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        fall = 1 - self.world.vignette * ((x**2 + y**2) / 2) ** 1.3
        return np.clip(FULL * fall[..., None] * self.world.tint, 0, 255).astype(np.uint8)

    def _draw(self, canvas: Canvas, t: float) -> None:
        world = self.world
        canvas.clear()
        poses = self.poses(t)
        world.planes[0].draw(canvas, poses[0])
        for placed in world.placed:
            self._draw_shadow(canvas, poses[0], placed, t)
        for plane in world.planes[1:]:
            plane.draw(canvas, poses[0])
        light = Light(poses[0][:3, :3] @ world.sun, world.ambient, world.diffuse)
        self._patches.draw(canvas, poses, light)
        self._quadrics.draw(canvas, poses, light)

    def _draw_shadow(self, canvas: Canvas, camera: Matrix, placed: Placed, t: float) -> None:
        """Darken the ground under a thing, away from the light, fainter the higher it is."""
        thing, lift = placed.thing, placed.thing.lift(t)
        foot = placed.path(t)[:3, 3]
        away = -self.world.sun[[0, 2]] / max(self.world.sun[1], 0.3)
        length = 0.35 * thing.height * float(np.hypot(*away))
        ahead = away / max(float(np.hypot(*away)), 1e-6)
        center = foot[[0, 2]] + away * (lift + 0.15 * thing.height)
        long, wide = thing.radius * 1.25 + length / 2, thing.radius * 1.25
        sides = np.array([ahead * 2 * long, np.array([-ahead[1], ahead[0]]) * 2 * wide])
        corner = center - sides.sum(axis=0) / 2
        frame = np.array([[sides[0, 0], sides[1, 0], corner[0]], [0, 0, 0], [sides[0, 1], sides[1, 1], corner[1]]])
        frame = camera[:3, :3] @ frame
        frame[:, 2] += camera[:3, 3]
        corners = frame @ CORNERS
        if corners[2].min() < NEAR_M or (box := self.lens.box(corners)) is None:
            return
        strength = self.world.shadow / (1 + 1.5 * lift)
        factors = cv2.convertScaleAbs(self._shadow, alpha=strength, beta=255 * (1 - strength))
        x0, y0, x1, y1 = box
        warp = from_unit_square(factors) @ np.linalg.inv(self.lens.matrix @ frame) @ shift(x0, y0)
        light = cv2.warpPerspective(factors, warp, (x1 - x0, y1 - y0), flags=SAMPLE, borderValue=255)
        canvas.shade(box, cv2.cvtColor(light, cv2.COLOR_GRAY2RGBA))
