"""A real Ray cluster of two machines on this one, of which one goes away in the middle."""

import json
import os
from dataclasses import replace

import cv2
import pytest

from streamer.batch.driver import Driver, Limits
from streamer.batch.job import AnnotateJob
from streamer.batch.order import Order, new_token
from streamer.batch.record import Record, State
from streamer.batch.worker import Worker
from streamer.config import load
from streamer.data import cores
from streamer.errors import ConfigError
from streamer.models.runtime import devices
from streamer.sinks.targets import Targets
from streamer.terminal.stopping import Stop
from tests.batch.test_driver import Seen
from tests.videos import make_video

if not os.environ.get("RAY_TEST"):
    pytest.skip("a cluster takes a minute to start: RAY_TEST=1 pytest tests/batch", allow_module_level=True)

os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # read when ray is imported
ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'streamer[ray]'")

from streamer.batch.ray_actors import RayActors  # noqa: E402

COUNTS = {"a": 40, "b": 40, "c": 12, "d": 10}
CONFIG = load("tiny", ["schedule.depth_interval=1000", "video.preset=ultrafast"]).model_copy(update={"segmenter": None})


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    for name, count in COUNTS.items():
        make_video(folder / f"{name}.mp4", count)
    return folder


@pytest.fixture
def one_core(monkeypatch):
    """This process works as the actors do, and what it was like is put back afterwards."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads, cv2_threads = devices.thread_count(), cv2.getNumThreads()
    devices.set_threads(1)
    yield
    devices.set_threads(threads)
    cv2.setNumThreads(cv2_threads)
    monkeypatch.setattr(cores, "_limit", cores.ALL)


@pytest.fixture
def cluster():
    from ray.cluster_utils import Cluster

    # Each of a node's helpers is a Python that starts: with those that only report, a busy machine is too slow for Ray.
    machine = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_log_monitor": False}
    head = {**machine, "include_dashboard": False, "no_monitor": True}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    yield cluster, cluster.add_node(**machine)
    ray.shutdown()
    cluster.shutdown()


def order_of(record, out):
    return Order(
        CONFIG, AnnotateJob([record.source], [], Targets(out, depth_maps=out / "depth")), record, out, new_token()
    )


def records_of(videos):
    return [Record(name, str(videos / f"{name}.mp4"), fingerprint="f") for name in COUNTS]


class Watched(Seen):
    """Takes a machine away as soon as both workers are in the middle of something."""

    def __init__(self, take_away):
        super().__init__()
        self.busy, self.take_away, self.begun_names = set(), take_away, []

    def begun(self, slot, record, frames):
        self.begun_names.append(record.name)

    def progress(self, slot, frames):
        if frames:
            self.busy.add(slot)
        if len(self.busy) == 2 and self.take_away is not None:
            self.take_away()
            self.take_away = None


def test_a_machine_that_goes_away_loses_nothing_and_changes_no_result(cluster, videos, tmp_path, one_core):
    cluster, spot = cluster
    far, near = tmp_path / "far", tmp_path / "near"
    for folder in (far, near):
        folder.mkdir()
    display = Watched(lambda: cluster.remove_node(spot, allow_graceful=False))
    executor = RayActors(cluster.address, None, cores_each=1)
    driver = Driver(
        *(executor, records_of(videos), lambda record: order_of(record, far), far),
        *(dict(COUNTS), Limits(retries=0), display, Stop()),
    )
    driver.run()
    assert display.take_away is None, "the machine was not taken away in the middle"
    assert {name: (record.state, record.attempts, record.frames) for name, record in driver.records.items()} == {
        name: (State.FINISHED, 1, count) for name, count in COUNTS.items()
    }
    assert len(display.begun_names) == len(COUNTS) + 1, "one video was begun again, and no other"
    assert [state for _, state in display.states].count("finished") == len(COUNTS)

    worker = Worker(1)
    for record in records_of(videos):
        assert worker.annotate(order_of(record, near), lambda frames: None).state is State.FINISHED
    worker.close()
    assert contents(far) == contents(near)


def contents(folder):
    """Everything that was written, byte for byte, but for what tells of time and place."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    return {str(name): path.read_bytes() for name, path in files.items() if path.suffix != ".json"} | {
        str(name): replace(Record.read(path, "", ""), worker="", duration_s=0, figures={})
        for name, path in files.items()
        if path.suffix == ".json" and json.loads(path.read_text())
    }


def test_a_cluster_that_is_not_there_is_one_sentence():
    with pytest.raises(ConfigError, match=r"no Ray cluster at 127\.0\.0\.1:1 "):
        RayActors("127.0.0.1:1", None, 1)
