import subprocess
import sys

OPEN_A_WINDOW = """
import streamer, av, cv2
cv2.namedWindow("one")
cv2.waitKey(1)
print("shown")
"""


def test_a_window_opens_although_pyav_came_first(virtual_display):
    done = subprocess.run([sys.executable, "-c", OPEN_A_WINDOW], capture_output=True, text=True, timeout=60)
    assert "shown" in done.stdout, done.stderr
