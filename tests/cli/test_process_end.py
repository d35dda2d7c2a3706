"""The process ends at once and with its own exit code, whatever its models are doing."""

import subprocess
import sys
import time

import pytest

BUSY = """
import sys, threading, time
import streamer.__main__ as program
from streamer.scheduling.threads import ThreadedWorkers
{work}
def main():
    workers = ThreadedWorkers()
    started = threading.Event()
    workers.submit("keyframe", 1, lambda: work(started))
    started.wait(20)
    workers.close(timeout_s=0.05)
    print("closed at", time.time())
    sys.exit({code})
program.main = main
program.program()
"""
SLEEPS = """
def work(started):
    started.set()
    time.sleep(30)
"""
COMPUTES = """
import torch
torch.set_num_threads(1)
def work(started):
    image = torch.rand(256, 256)
    started.set()
    while True:
        image @ image
"""


@pytest.mark.parametrize("work", [SLEEPS, COMPUTES], ids=["waits", "computes in torch"])
@pytest.mark.parametrize(("code", "returned"), [(3, 3), (None, 0), ("'wrong'", 1)])
def test_a_call_that_takes_long_does_not_keep_the_process_nor_crash_it(work, code, returned):
    script = BUSY.format(work=work, code=code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    ended_s = time.time()
    assert (done.returncode, done.stderr) == (returned, "")
    assert ended_s - float(done.stdout.split()[-1]) < 10
