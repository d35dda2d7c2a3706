"""What is cut out: alpha is where the objects are, colors and times stay, and editors get all of it."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.errors import SinkError
from streamer.sinks.cutout import CutoutSink, matte_sink
from streamer.sinks.image import ImageSink
from streamer.sinks.targets import Targets
from tests.sinks.test_masks import tracks_of
from tests.writing import make_image

LABELS = np.zeros((48, 64), np.uint8)
LABELS[8:24, 8:40], LABELS[20:40, 32:56] = 1, 2
INFO = SourceInfo("clip", (64, 48), rate_hz=Fraction(25), time_base=Fraction(1, 1000))


def results(count=5):
    tracks = tracks_of(LABELS)
    return [Result(Frame(index, index * 0.04, make_image(index), 0.0), tracks) for index in range(count)]


def test_pictures_have_the_objects_as_alpha_and_all_colors(tmp_path):
    sink = CutoutSink(tmp_path / "cut")
    for result in results():
        sink.write(result)
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == [f"{index:05d}.png" for index in range(5)]
    rgba = np.array(Image.open(tmp_path / "cut" / "00003.png"))
    np.testing.assert_array_equal(rgba[..., :3], make_image(3))
    np.testing.assert_array_equal(rgba[..., 3], np.where(LABELS, 255, 0))


def test_the_matte_is_prores_with_the_same_alpha_and_times(tmp_path):
    sink = matte_sink(tmp_path / "matte.mov", INFO)
    for result in results():
        sink.write(result)
    sink.close()
    with av.open(str(tmp_path / "matte.mov")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.codec_tag) == ("prores", "ap4h")
        frames = list(container.decode(stream))
        times_s = [float(frame.pts * frame.time_base) for frame in frames]
    assert times_s == pytest.approx([index * 0.04 for index in range(5)])
    for index, frame in enumerate(frames):
        assert frame.format.name.startswith("yuva444p")
        rgba = frame.to_ndarray(format="rgba").astype(int)
        np.testing.assert_array_equal(rgba[..., 3] > 127, LABELS > 0)
        assert abs(rgba[..., :3] - make_image(index)).mean() < 3


def test_they_are_refused_where_they_cannot_be(tmp_path):
    with pytest.raises(SinkError, match=r"\.mov"):
        Targets(matte=tmp_path / "matte.mp4").check(several=False)
    for targets in (Targets(matte=tmp_path / "matte.mov"), Targets(cutout=tmp_path)):
        with pytest.raises(SinkError, match="no masks to write"):
            targets.check(several=False, masks=False)


def test_numbered_pictures_are_one_for_each_frame(tmp_path):
    targets = Targets(output=tmp_path / "frames" / "f_%04d.png")
    targets.check(several=False)
    assert targets.of(INFO, several=False).output == tmp_path / "frames" / "f_%04d.png"
    sink = ImageSink(targets.output, lambda result: result.frame.image_rgb)
    for result in results(3):
        sink.write(result)
    assert sorted(path.name for path in (tmp_path / "frames").iterdir()) == [f"f_{index:04d}.png" for index in range(3)]
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "frames" / "f_0002.png")), make_image(2))
    with pytest.raises(SinkError, match="number its pictures"):
        Targets(output=tmp_path / "one.png").of(INFO, several=False)
