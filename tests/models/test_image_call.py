"""What a model says of an image alone: computed when it is asked for, or begun before."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.models.image_call import ImageCall


class Doubling:
    """A call that doubles images, and notes how many it is given at once."""

    def __init__(self, max_batch=1):
        self.batches = []
        self.call = ImageCall(self._compute, max_batch)

    def _compute(self, images):
        self.batches.append(len(images))
        return [image * 2 for image in images]


def image(level):
    return np.full((4, 4, 3), level, np.uint8)


@pytest.fixture
def thread():
    with ThreadPoolExecutor(1) as executor:
        yield executor


def test_what_was_not_begun_is_computed_each_time_it_is_asked_for():
    doubling, one = Doubling(), image(3)
    assert (doubling.call(one) == 6).all()
    assert (doubling.call(one) == 6).all()
    assert doubling.batches == [1, 1]


def test_what_was_begun_is_computed_once_and_belongs_to_that_very_array(thread):
    doubling, one = Doubling(), image(3)
    doubling.call.begin([one], thread)
    doubling.call.begin([one], thread)
    assert (doubling.call(one) == 6).all()
    assert doubling.batches == [1]
    doubling.call(one.copy())
    assert doubling.batches == [1, 1]


@given(st.integers(0, 9), st.integers(1, 5), st.integers(1, 5))
def test_every_image_has_its_own_value_whatever_is_computed_together(count, batch_size, max_batch):
    doubling, images = Doubling(max_batch), [image(level) for level in range(count)]
    with ThreadPoolExecutor(1) as thread:
        doubling.call.begin(images, thread, batch_size)
    together = min(batch_size, max_batch)
    assert doubling.batches == [together] * (count // together), "what does not fill a batch is not begun"
    assert [doubling.call(one)[0, 0, 0] for one in images] == [2 * level for level in range(count)]


def test_what_is_not_wanted_any_more_is_let_go(thread):
    doubling, images = Doubling(), [image(level) for level in range(3)]
    doubling.call.begin(images, thread)
    held = [weakref.ref(one) for one in images]
    doubling.call(images[2])
    doubling.call.begin(images[2:], thread)
    del images[:2]
    thread.submit(lambda: None).result()  # the thread itself holds on to the last thing that it ran
    gc.collect()
    assert [one() is None for one in held] == [True, True, False]


def test_an_error_is_raised_where_the_value_is_asked_for(thread):
    def fail(images):
        raise RuntimeError("out of memory")

    call, one = ImageCall(fail), image(1)
    call.begin([one], thread)
    with pytest.raises(RuntimeError, match="out of memory"):
        call(one)


def test_one_image_is_computed_at_a_time_wherever_it_is_asked_for(thread):
    started, release, at_work = threading.Event(), threading.Event(), threading.Semaphore(1)

    def compute(images):
        assert at_work.acquire(blocking=False)
        started.set()
        release.wait(5)
        at_work.release()
        return images

    call, one, other = ImageCall(compute), image(1), image(2)
    call.begin([one], thread)
    assert started.wait(5)
    with ThreadPoolExecutor(1) as another:
        asked = another.submit(call, other)
        release.set()
        assert asked.result(5) is other
    assert call(one) is one
