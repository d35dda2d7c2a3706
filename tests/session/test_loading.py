"""What is seen of a source while the models are loaded."""

from streamer.session.loading import frames_until


class Frames:
    """A reader of three frames, the second of which comes late."""

    def __init__(self):
        self.taken = ["second", None]

    def peek(self, timeout_s):
        return "first"

    def get(self, timeout_s):
        return self.taken.pop()


def test_the_first_frame_is_seen_before_anybody_waits_for_the_models_and_the_newest_from_then_on():
    loaded = [True, False, False]
    seen = frames_until(lambda limit_s: loaded.pop(), Frames())
    assert next(seen) == "first"
    assert len(loaded) == 3, "nothing has begun to load"
    assert list(seen) == [None, "second"]
