"""Files in, annotated files out: what was written is read back and compared with what went in."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from streamer.sinks.masks import PALETTE
from streamer.ui.overlay import inset_box
from tests.end_to_end.conftest import SIZE, TIMES_MS, audio_packets_of, frame_lines, frames_of, names_in
from tests.videos import make_video

WIDTH, HEIGHT = SIZE
COUNT = len(TIMES_MS)
QUICK = ["--no-masks", "--set", "schedule.depth_interval=1000"]


@pytest.fixture(scope="module")
def annotated(clip, tmp_path_factory):
    """One run that writes everything."""
    from tests.end_to_end.conftest import start

    folder = tmp_path_factory.mktemp("annotated")
    Image.fromarray(clip.labels).save(clip.path.with_name("labels.png"))
    process = start(
        folder,
        *("annotate", clip.path, "--init-mask", clip.path.with_name("labels.png")),
        *("-o", "out.mp4", "--jsonl", "out.jsonl", "--masks", "masks", "--depth-maps", "depth"),
        *("--stats", "stats.json"),
    )
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, ""), out + err
    return folder, out


def test_every_frame_is_there_at_its_own_time_with_its_depth_in_the_corner(annotated, clip):
    times_s, images = frames_of(annotated[0] / "out.mp4")
    assert times_s == pytest.approx([time_ms / 1000 for time_ms in TIMES_MS], abs=1e-6)
    assert {image.shape for image in images} == {(HEIGHT, WIDTH, 3)}
    x0, y0, x1, y1 = inset_box((WIDTH, HEIGHT))
    above = slice(0, y0 - 4)
    frames = np.float32(clip.images)[:, above]
    for index, image in enumerate(images):
        differences = np.abs(frames - image[above]).mean(axis=(1, 2, 3))
        assert differences.argmin() == index
        assert differences[index] < 25
    depth = np.float32(images)[:, y0:y1, x0:x1]
    assert depth.std(axis=(1, 2)).mean() > 20, "there is no depth in the corner"


def test_the_depth_maps_are_what_the_lines_tell_of(annotated):
    folder, _ = annotated
    for line in frame_lines((folder / "out.jsonl").read_text()):
        thousandths = np.array(Image.open(folder / "depth" / f"{line['index']:05d}.png"))
        assert thousandths.shape == (HEIGHT, WIDTH)
        assert np.ptp(thousandths) > 100
        for thing in line["objects"]:
            if thing["depth"]:
                mask = coco.decode(thing["mask"]).astype(bool)
                assert np.median(thousandths[mask]) / 1000 == pytest.approx(thing["depth"]["median"], abs=0.2)


def test_the_sound_is_copied_packet_by_packet(annotated, clip):
    before, after = audio_packets_of(clip.path), audio_packets_of(annotated[0] / "out.mp4")
    assert [data for _, data in after] == [data for _, data in before]
    assert [time_s for time_s, _ in after] == pytest.approx([time_s for time_s, _ in before], abs=1e-3)


def test_every_line_holds_a_frame_and_its_masks(annotated, clip):
    folder, _ = annotated
    lines = frame_lines((folder / "out.jsonl").read_text())
    assert [line["index"] for line in lines] == list(range(COUNT))
    assert [line["time_s"] for line in lines] == pytest.approx([time_ms / 1000 for time_ms in TIMES_MS])
    assert lines[0]["stages"]["masks"]["reason"] == "prompt"
    assert {"flow", "carry"} <= lines[3]["timings_ms"].keys()
    for line in lines:
        labels = np.array(Image.open(folder / "masks" / f"{line['index']:05d}.png"))
        assert [thing["id"] for thing in line["objects"]] == [value for value in np.unique(clip.labels) if value]
        for thing in line["objects"]:
            assert thing["mask"]["size"] == [HEIGHT, WIDTH]
            mask = coco.decode(thing["mask"]).astype(bool)
            assert (labels[mask] != 0).all(), "the PNG lacks pixels of the mask"
            assert 0 <= thing["score"] <= 1
            assert thing["state"] in ("tracked", "uncertain", "lost")
            if mask.any():
                rows, columns = np.nonzero(mask)
                edges = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                assert thing["box_xyxy"] == pytest.approx(edges)
                assert thing["depth"]["lower"] <= thing["depth"]["median"] <= thing["depth"]["upper"]
    for thing in lines[0]["objects"]:
        mask, truth = coco.decode(thing["mask"]).astype(bool), clip.labels == thing["id"]
        assert (mask & truth).sum() / (mask | truth).sum() > 0.8, "the mask of the first frame is not the given one"


def test_one_indexed_png_per_frame_with_the_palette_of_davis(annotated, clip):
    files = sorted((annotated[0] / "masks").iterdir())
    assert [file.name for file in files] == [f"{index:05d}.png" for index in range(COUNT)]
    with Image.open(files[0]) as image:
        assert (image.mode, image.size) == ("P", SIZE)
        palette = np.reshape(image.getpalette("RGB"), (-1, 3))
        np.testing.assert_array_equal(palette, PALETTE[: len(palette)])
        assert set(np.unique(np.array(image))) <= set(np.unique(clip.labels))


def test_the_figures_of_the_run(annotated):
    folder, out = annotated
    stats = json.loads((folder / "stats.json").read_text())
    assert stats["frames"] == {
        "read": COUNT,
        "shown": COUNT,
        "written": dict.fromkeys(("out.mp4", "masks/", "depth/", "out.jsonl"), COUNT),
        "dropped": {},
    }
    assert stats["stages"]["masks"]["runs"] == sum(stats["stages"]["masks"]["reasons"].values()) >= 2
    assert stats["stages"]["depth"]["runs"] >= 3
    assert {"encode", "decode", "depth"} <= stats["model_timings_ms"].keys()
    assert 0 < stats["latency_ms"]["p50"] <= stats["latency_ms"]["p95"]
    assert stats["frame_rate_hz"] > 0
    assert stats["peak_memory_mib"] > 100
    assert f"{COUNT} read, {COUNT} shown" in out
    assert "wrote out.mp4, masks, depth, out.jsonl, stats.json" in out
    assert out.count("stronger ones: `streamer models pull vit_b`") == 1
    assert names_in(folder) == sorted(
        ["out.mp4", "out.jsonl", "stats.json"]
        + [f"{folder}/{index:05d}.png" for folder in ("masks", "depth") for index in range(COUNT)]
    )


def test_a_picture_gives_a_picture(inside, clip, tmp_path):
    Image.fromarray(clip.images[0]).save(tmp_path / "photo.png")
    done = inside("annotate", "photo.png", "--point", "8,8", "-o", "out.jpg", "--masks", "masks", "--no-depth")
    assert (done.code, done.err) == (0, "")
    with Image.open(tmp_path / "out.jpg") as image:
        assert (image.format, image.size) == ("JPEG", SIZE)
    assert names_in(tmp_path) == ["masks/photo.png", "out.jpg", "photo.png"]


def test_a_folder_of_pictures_gives_a_video_at_the_default_place(inside, clip, tmp_path):
    (tmp_path / "walk").mkdir()
    for number in (2, 10, 1):
        Image.fromarray(clip.images[number]).save(tmp_path / "walk" / f"img{number}.png")
    assert inside("annotate", "walk", *QUICK, "--set", "overlay.depth=off").code == 0
    times_s, images = frames_of(tmp_path / "recordings" / "walk-annotated.mp4")
    assert times_s == pytest.approx([0, 1 / 24, 2 / 24], abs=1e-5)
    for number, image in zip((1, 2, 10), images, strict=True):
        assert np.abs(np.float32(image) - clip.images[number]).mean() < 5


def test_several_sources_go_to_a_folder(inside, tmp_path):
    (tmp_path / "in").mkdir()
    for name, count in (("a", 3), ("b", 4), ("c", 2)):
        make_video(tmp_path / "in" / f"{name}.mp4", count)
    shutil.copy(tmp_path / "in" / "c.mp4", tmp_path / "c.mp4")
    done = inside("annotate", "in/[ab].mp4", "c.mp4", "-o", "out", "--jsonl", "lines.jsonl", *QUICK)
    assert (done.code, done.err) == (0, "")
    written = [name for name in names_in(tmp_path) if not name.startswith("in/")]
    names = [f"out/{name}-annotated.mp4" for name in "abc"] + [f"lines-{name}.jsonl" for name in "abc"]
    assert written == sorted([*names, "c.mp4"])
    assert [len(frames_of(tmp_path / f"out/{name}-annotated.mp4")[0]) for name in "abc"] == [3, 4, 2]


def test_one_damaged_source_does_not_stop_the_others(inside, tmp_path):
    make_video(tmp_path / "a.mp4", 3)
    (tmp_path / "b.mp4").write_bytes(b"no video at all")
    done = inside("annotate", "b.mp4", "a.mp4", "-o", "out", *QUICK)
    assert done.code == 1
    assert "b.mp4" in done.err.splitlines()[0]
    assert "1 of 2 sources" in done.err.splitlines()[-1]
    assert names_in(tmp_path / "out") == ["a-annotated.mp4"]


def test_a_box_and_a_click_say_what_to_follow_and_the_preset_for_robots_shows_no_depth(inside, clip, tmp_path):
    options = ("--config", "robot", "--set", "video.crf=30", "--jsonl", "out.jsonl", "-o", "out.mkv")
    done = inside("annotate", clip.path, "--box", f"3:{clip.box}", "--point", "7:2,2", "--point", "7:2,9,0", *options)
    assert (done.code, done.err) == (0, "")
    times_s, images = frames_of(tmp_path / "out.mkv")
    assert times_s == pytest.approx([time_ms / 1000 for time_ms in TIMES_MS], abs=1e-3)
    assert images[0].shape == (HEIGHT, WIDTH, 3)
    lines = frame_lines((tmp_path / "out.jsonl").read_text())
    assert [thing["id"] for thing in lines[0]["objects"]] == [3, 7]
    assert [line["index"] for line in lines if line["stages"]["masks"]["reason"]][1] <= 6
    mask = coco.decode(lines[0]["objects"][0]["mask"]).astype(bool)
    x0, y0, x1, y1 = (round(float(corner)) for corner in clip.box.split(","))
    assert mask[y0:y1, x0:x1].sum() > 0.5 * mask.sum() > 0, "the mask is not where the box is"


def test_lines_can_be_piped_and_all_that_is_for_people_goes_elsewhere(inside, clip, tmp_path):
    done = inside("annotate", clip.path, "--jsonl", "-", "-o", "out.mp4", *QUICK)
    assert done.code == 0
    assert [line["index"] for line in frame_lines(done.out)] == list(range(COUNT))
    assert "wrote out.mp4, the standard output" in done.err
    assert names_in(tmp_path) == ["out.mp4"]


def test_without_a_prompt_objects_are_found(inside, clip, tmp_path):
    lines = tmp_path / "out.jsonl"
    assert inside("annotate", clip.path, "--jsonl", lines, "--no-depth", "--set", "tracking.max_objects=3").code == 0
    first = frame_lines(lines.read_text())[0]
    assert first["stages"]["masks"]["reason"] == "discover"
    assert 1 <= len(first["objects"]) <= 3
    assert names_in(tmp_path) == ["out.jsonl"], "nothing else was asked for"


def test_sources_of_one_name_get_names_of_their_own(inside, tmp_path):
    for folder, count in (("a", 2), ("b", 3)):
        (tmp_path / folder).mkdir()
        make_video(tmp_path / folder / "12:30.mp4", count)
    done = inside("annotate", "a/12:30.mp4", "b/12:30.mp4", "-o", "out", "--jsonl", "lines.jsonl", *QUICK)
    assert done.code == 0, done.err
    for suffix, count in (("", 2), ("-2", 3)):
        assert len(frames_of(tmp_path / "out" / f"12:30{suffix}-annotated.mp4")[0]) == count
        assert len(frame_lines((tmp_path / f"lines-12:30{suffix}.jsonl").read_text())) == count


def test_a_pattern_of_videos_and_pictures_leaves_none_out(inside, clip, tmp_path):
    (tmp_path / "in").mkdir()
    make_video(tmp_path / "in" / "a.mp4", 2)
    Image.fromarray(clip.images[0]).save(tmp_path / "in" / "b.png")
    assert inside("annotate", "in/*", "-o", "out", *QUICK).code == 0
    assert names_in(tmp_path / "out") == ["a-annotated.mp4", "b-annotated.png"]
