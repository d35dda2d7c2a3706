from streamer.benchmarks.memory import MemoryBench, bench_memory
from streamer.config import load


def test_memory_is_told_at_every_doubling_and_at_the_end(capsys):
    bench_memory(load("tiny"), MemoryBench(7, 2, (96, 64), objects=1))
    told = capsys.readouterr().out
    for frames in ("2 frames: ", "4 frames: ", "7 frames: "):
        assert frames in told
    assert "growth" in told
