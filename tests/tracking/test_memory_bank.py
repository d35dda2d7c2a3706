"""What is remembered, and for how long."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.models.protocols import Memory
from streamer.tracking.memory_bank import MemoryBank
from streamer.tracking.parameters import MemoryParameters


def memory(*object_ids):
    return Memory(None, dict.fromkeys(object_ids, 0))


def frames(bank, object_id):
    return [frame.index for frame in bank._frames if object_id in frame.memory.values]


def test_it_never_grows():
    bank = MemoryBank(MemoryParameters(recent=3, given=2))
    bank.add(0, memory(1), given=[1])
    for index in range(1, 30):
        bank.add(index, memory(1))
    assert frames(bank, 1) == [0, 27, 28, 29]


def test_what_a_person_spoke_about_first_and_last_stays():
    bank = MemoryBank(MemoryParameters(recent=1, given=2))
    for index in (0, 5, 9):
        bank.add(index, memory(1), given=[1])
    assert frames(bank, 1) == [0, 9]


def test_late_frames_find_their_place():
    bank = MemoryBank(MemoryParameters(recent=2))
    for index in (0, 9, 4):
        bank.add(index, memory(1))
    assert frames(bank, 1) == [4, 9]


def test_each_object_keeps_its_own_frames():
    bank = MemoryBank(MemoryParameters(recent=2))
    bank.add(0, memory(1, 2), given=[1])
    for index in (1, 2, 3):
        bank.add(index, memory(2))
    assert (frames(bank, 1), frames(bank, 2)) == ([0], [2, 3])
    bank.forget_object(1)
    assert 1 not in bank
    assert 2 in bank
    assert len(bank.memories) == 2


def test_only_objects_that_there_are_are_kept():
    bank = MemoryBank()
    bank.add(0, memory(1, 2))
    bank.add(1, memory(2, 3))
    bank.keep_only([3])
    assert [frames(bank, each) for each in (1, 2, 3)] == [[], [], [1]]
    assert len(bank.memories) == 1


def test_a_correction_forgets_what_it_corrects():
    bank = MemoryBank()
    bank.add(0, memory(1, 2), given=[1, 2])
    bank.add(7, memory(1, 2))
    bank.forget_recent(1)
    assert (frames(bank, 1), frames(bank, 2)) == ([0], [0, 7])


def test_a_frame_without_objects_is_not_kept():
    bank = MemoryBank()
    bank.add(0, memory())
    assert bank.memories == ()


@given(st.lists(st.tuples(st.integers(0, 40), st.sets(st.integers(1, 4)), st.booleans()), max_size=40))
def test_no_object_is_ever_known_on_more_frames_than_allowed(steps):
    bank = MemoryBank(MemoryParameters(recent=3, given=2))
    for index, object_ids, is_given in steps:
        bank.add(index, memory(*object_ids), object_ids if is_given else ())
        assert all(len(frames(bank, each)) <= 5 for each in range(1, 5))
        assert all(frame.memory.values for frame in bank._frames)
        assert [frame.index for frame in bank._frames] == sorted(frame.index for frame in bank._frames)
