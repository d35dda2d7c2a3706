import time
from fractions import Fraction

import cv2
import numpy as np
import pytest

from streamer.errors import SourceError
from streamer.synthetic import SceneSource, degrade
from streamer.synthetic.canvas import Canvas
from streamer.synthetic.geometry import Lens, rotation, scaling, translation, view
from streamer.synthetic.layout import INDOOR, OUTDOOR
from streamer.synthetic.patch import Patch, Patches
from streamer.synthetic.quadric import Quadric, Quadrics
from streamer.synthetic.surfaces import Light, Part, pyramid
from streamer.synthetic.textures import KINDS as TEXTURES
from streamer.synthetic.textures import tile
from streamer.synthetic.things import KINDS, around

SMALL = (320, 180)
SEEDS = (0, 1, 2, 3)


class Clock:
    """A clock that moves only when slept on or set."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture(scope="module")
def scenes() -> dict[int, SceneSource]:
    return {seed: SceneSource(seed, size=SMALL, objects=5) for seed in SEEDS}


def pulled(values: np.ndarray, flow: np.ndarray, interpolation: int) -> np.ndarray:
    height, width = values.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return cv2.remap(values, x + flow[..., 0], y + flow[..., 1], interpolation)


def test_reads_to_the_end_with_exact_times() -> None:
    source = SceneSource(size=(64, 48), rate_hz=Fraction(30000, 1001), frame_count=3)
    frames = [source.read() for _ in range(4)]
    assert frames[3] is None
    assert [frame.index for frame in frames[:3] if frame] == [0, 1, 2]
    assert frames[2] is not None
    assert frames[2].time_s == pytest.approx(2 * 1001 / 30000)
    assert frames[2].size == (64, 48)
    assert source.info.frame_count == 3
    assert source.info.time_base == Fraction(1001, 30000)
    assert not source.info.live
    assert source.damage is None


def test_closed_source_reads_nothing() -> None:
    source = SceneSource(size=(64, 48))
    source.close()
    source.close()
    assert source.read() is None


def test_any_frame_in_any_order_is_the_same(scenes: dict[int, SceneSource]) -> None:
    again = SceneSource(1, size=SMALL, objects=5)
    later, first = again.render(40), again.render(3)
    np.testing.assert_array_equal(scenes[1].render(3), first)
    np.testing.assert_array_equal(scenes[1].render(40), later)
    truth, same = scenes[1].truth(3), again.truth(3)
    np.testing.assert_array_equal(truth.backward_flow, same.backward_flow)
    np.testing.assert_array_equal(truth.labels, same.labels)


def test_seeds_and_sizes_differ(scenes: dict[int, SceneSource]) -> None:
    assert np.abs(scenes[0].render(0).astype(int) - scenes[1].render(0)).mean() > 5
    assert SceneSource(0, size=(97, 131), objects=2).render(0).shape == (131, 97, 3)


def test_rendered_frames_are_kept_apart(scenes: dict[int, SceneSource]) -> None:
    first = scenes[0].render(0)
    before = first.copy()
    for index in (20, 40, 60):
        scenes[0].render(index)
    np.testing.assert_array_equal(first, before)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("index", [1, 50])
def test_flow_explains_the_picture(scenes: dict[int, SceneSource], seed: int, index: int) -> None:
    source = scenes[seed]
    truth, now, before = source.truth(index), source.render(index), source.render(index - 1)
    valid = truth.flow_valid
    assert valid.mean() > 0.85
    assert np.isfinite(truth.backward_flow).all()
    error = np.abs(pulled(before, truth.backward_flow, cv2.INTER_LINEAR).astype(int) - now).mean(axis=2)
    unmoved = np.abs(before.astype(int) - now).mean(axis=2)
    moving = valid & (np.hypot(truth.backward_flow[..., 0], truth.backward_flow[..., 1]) > 0.5)
    assert error[valid].mean() < 2.5
    assert np.percentile(error[valid], 90) < 7
    if moving.mean() > 0.02:
        assert error[moving].mean() < 0.6 * unmoved[moving].mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_and_depth_follow_the_flow(scenes: dict[int, SceneSource], seed: int) -> None:
    truth, before = scenes[seed].truth(50), scenes[seed].truth(49)
    valid = truth.flow_valid
    labels = pulled(before.labels, truth.backward_flow, cv2.INTER_NEAREST)
    np.testing.assert_array_equal(labels[valid], truth.labels[valid])
    depth = pulled(before.inverse_depth, truth.backward_flow, cv2.INTER_NEAREST)
    change = np.abs(depth - truth.inverse_depth)[valid] / truth.inverse_depth[valid]
    assert np.percentile(change, 95) < 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_truth_is_complete(scenes: dict[int, SceneSource], seed: int) -> None:
    truth = scenes[seed].truth(0)
    assert truth.labels.shape == truth.inverse_depth.shape == truth.flow_valid.shape == SMALL[::-1]
    assert truth.labels.dtype == np.uint8
    assert truth.inverse_depth.dtype == truth.backward_flow.dtype == np.float32
    assert (truth.inverse_depth > 0).all()
    assert set(truth.visible) == set(scenes[seed].kinds) == {1, 2, 3, 4, 5}
    assert not truth.flow_valid.any()
    assert not truth.backward_flow.any()
    for object_id, fraction in truth.visible.items():
        assert 0 <= fraction <= 1
        assert (fraction > 0) == (truth.labels == object_id).any()


def test_demo_has_a_crossing_and_an_object_that_leaves_and_returns() -> None:
    source = SceneSource(0, size=SMALL)
    seen = np.array([[source.truth(index).visible[id] for id in (1, 2, 3, 4)] for index in range(0, 300, 10)])
    hidden_by_another = ((seen > 0) & (seen < 0.8)).any(axis=0)
    assert hidden_by_another.sum() >= 2
    assert any(
        column[:gap].any() and not column[gap : gap + 2].any() and column[gap + 2 :].any()
        for column in seen.T
        for gap in range(1, 28)
    )


def test_paced_source_waits_until_a_frame_is_due() -> None:
    clock = Clock()
    source = SceneSource(size=(64, 48), rate_hz=Fraction(10), paced=True, clock=clock, sleep=clock.sleep)
    assert source.info.live
    assert source.info.time_base is None
    captured = []
    for _ in range(3):
        frame = source.read()
        assert frame is not None
        captured.append(frame.captured_at_s)
    assert captured == pytest.approx([100.0, 100.1, 100.2])


def test_paced_source_skips_what_nobody_fetched() -> None:
    clock = Clock()
    source = SceneSource(
        size=(64, 48), rate_hz=Fraction(10), frame_count=20, paced=True, clock=clock, sleep=clock.sleep
    )
    source.read()
    clock.now_s += 0.75
    frame = source.read()
    assert frame is not None
    assert frame.index == 7
    clock.now_s += 60
    assert source.read() is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "from 0"),
        ({"size": (0, 10)}, "0x10"),
        ({"rate_hz": Fraction(0)}, "above 0"),
        ({"objects": 17}, "0 to 16"),
        ({"style": "underwater"}, "indoor or outdoor"),
    ],
)
def test_impossible_scenes_are_refused(options: dict, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        SceneSource(**options)


def test_scene_without_objects_is_all_background() -> None:
    truth = SceneSource(3, size=(64, 48), objects=0).truth(2)
    assert not truth.labels.any()
    assert truth.visible == {}


@pytest.mark.parametrize("style", ["indoor", "outdoor"])
def test_every_pixel_has_a_background(style: str) -> None:
    for seed in range(3):
        source = SceneSource(seed, size=(64, 96), objects=0, style=style)
        assert all((source.truth(index).inverse_depth > 0).all() for index in (0, 100, 299))


def test_every_thing_can_be_built_and_listed() -> None:
    assert set(INDOOR) | set(OUTDOOR) == set(KINDS)
    for maker in KINDS.values():
        thing = maker(np.random.default_rng(3))
        assert thing.height > 0
        assert thing.bodies


@pytest.mark.parametrize("kind", TEXTURES)
def test_textures_are_seamless(kind: str) -> None:
    texture = tile(np.random.default_rng(5), 128, kind).astype(int)
    assert texture.shape == (128, 128, 4)
    assert (texture[..., 3] == 255).all()
    inside = np.abs(np.diff(texture, axis=0)).mean(axis=(1, 2)).max()
    assert np.abs(texture[0] - texture[-1]).mean() <= 1.5 * inside + 4


def canvas_with(surface: Quadric | Patch, pose: np.ndarray) -> Canvas:
    canvas = Canvas(Lens((200, 160), 180.0))
    light = Light(np.array([0, -1.0, 0]), 0.5, 0.5)
    poses = [np.eye(4), pose]
    if isinstance(surface, Quadric):
        Quadrics([Part(surface, body=1, object_id=1)]).draw(canvas, poses, light)
    else:
        Patches([Part(surface, body=1, object_id=1)]).draw(canvas, poses, light)
    return canvas


def traced_ellipsoid(unit_from_camera: np.ndarray, x: int, y: int, lens: Lens) -> float:
    """Inverse depth of the unit sphere through one pixel by the school formula; 0 where the ray misses."""
    ray = unit_from_camera[:3, :3] @ lens.inverse @ (x, y, 1.0)
    eye = unit_from_camera[:3, 3]
    a, b, c = ray @ ray, 2 * ray @ eye, eye @ eye - 1
    return 0.0 if b * b < 4 * a * c else 1 / ((-b - np.sqrt(b * b - 4 * a * c)) / (2 * a))


def test_ellipsoid_is_where_a_traced_ray_meets_it() -> None:
    pose = translation(0.2, -0.1, 3) @ rotation("y", 0.4) @ rotation("x", 0.7) @ scaling(0.5, 0.9, 0.3)
    texture = around(tile(np.random.default_rng(0), 64))
    canvas = canvas_with(Quadric(pose, texture), np.eye(4))
    traced = [
        [traced_ellipsoid(np.linalg.inv(pose), x, y, canvas.lens) for x in range(0, 200, 5)] for y in range(0, 160, 5)
    ]
    assert np.count_nonzero(traced) > 50
    np.testing.assert_allclose(canvas.inverse_depth[::5, ::5], traced, atol=2e-3)


def test_cylinder_before_the_camera_has_its_radius() -> None:
    texture = around(tile(np.random.default_rng(0), 64))
    canvas = canvas_with(Quadric(translation(0, 0, 4) @ scaling(0.5, 1, 0.5), texture, 1.0), np.eye(4))
    assert canvas.inverse_depth.max() == pytest.approx(1 / 3.5, rel=1e-3)
    silhouette = 180 * 0.5 / np.sqrt(4**2 - 0.5**2)
    assert np.count_nonzero(canvas.body[80]) == pytest.approx(2 * silhouette, abs=2)


def test_patch_has_the_depth_of_its_plane_and_no_back() -> None:
    frame = np.array([[1.0, 0, -0.5], [0, 1.0, -0.5], [0, 0, 0]])
    patch = Patch(frame, np.array([0, 0, -1.0]), pyramid(tile(np.random.default_rng(0), 64)))
    front = canvas_with(patch, translation(0, 0, 2))
    assert np.count_nonzero(front.body) == pytest.approx(90 * 90, rel=0.04)
    np.testing.assert_allclose(front.inverse_depth[front.body > 0], 0.5, rtol=1e-5)
    assert not canvas_with(patch, translation(0, 0, 2) @ rotation("y", np.pi)).body.any()


def test_camera_looks_ahead() -> None:
    point = view((1.0, 2.0, 3.0), yaw=0.0, pitch=0.0) @ np.array([2.0, 3.0, 7.0, 1.0])
    np.testing.assert_allclose(point[:3], [1, -1, 4])
    turned = view((0.0, 0.0, 0.0), yaw=np.pi / 2, pitch=0.0) @ np.array([5.0, 0.0, 0.0, 1.0])
    np.testing.assert_allclose(turned[:3], [0, 0, 5], atol=1e-12)


def test_degrade_changes_the_picture_and_not_its_kind() -> None:
    image = SceneSource(2, size=SMALL).render(0)
    original, changed = image.copy(), 0
    for seed in range(12):
        worse = degrade(image, np.random.default_rng(seed))
        assert worse.shape == image.shape
        assert worse.dtype == np.uint8
        assert worse is not image
        changed += not np.array_equal(worse, image)
    np.testing.assert_array_equal(image, original)
    assert changed >= 10
    np.testing.assert_array_equal(degrade(image, np.random.default_rng(4)), degrade(image, np.random.default_rng(4)))


def test_renders_faster_than_a_camera() -> None:
    source = SceneSource(0, size=(640, 360))
    best_s = 1.0
    for index in range(25):
        start_s = time.thread_time()
        source.render(index)
        best_s = min(best_s, time.thread_time() - start_s)
    assert best_s < 1 / 30
