"""What is remembered, for how long, and that objects read from the frames that know them."""

from __future__ import annotations

import torch

from streamer.models.tiny.memory import ImageFeatures, MemoryNetwork
from streamer.models.tiny.memory_bank import MemoryBank
from streamer.models.tiny.memory_decoder import Query


def network() -> MemoryNetwork:
    torch.manual_seed(0)
    return MemoryNetwork().eval().requires_grad_(False)


def look(memory: MemoryNetwork, seed: int) -> Query:
    torch.manual_seed(seed)
    shapes = ((600, 4, 6), (40, 8, 12), (24, 16, 24))
    return memory.keys(ImageFeatures(*(torch.randn(1, *shape) for shape in shapes)))


def mask(seed: int) -> torch.Tensor:
    torch.manual_seed(seed)
    return torch.rand(16, 24)


def frames(bank: MemoryBank, object_id: int) -> list[int]:
    return [memory.frame for memory in bank.memories if object_id in memory.values]


def test_it_never_grows() -> None:
    memory, bank = network(), MemoryBank(recent=3, given=2)
    bank.remember(memory, look(memory, 0), {1: mask(0)}, 0, given=True)
    for frame in range(1, 30):
        bank.remember(memory, look(memory, frame), {1: mask(frame)}, frame)
    assert frames(bank, 1) == [0, 27, 28, 29]


def test_what_a_person_gave_first_and_last_stays() -> None:
    memory, bank = network(), MemoryBank(recent=1, given=2)
    for frame in (0, 5, 9):
        bank.remember(memory, look(memory, frame), {1: mask(frame)}, frame, given=True)
    assert frames(bank, 1) == [0, 9]


def test_late_frames_find_their_place() -> None:
    memory, bank = network(), MemoryBank(recent=2)
    for frame in (0, 9, 4):
        bank.remember(memory, look(memory, frame), {1: mask(frame)}, frame)
    assert frames(bank, 1) == [4, 9]


def test_an_object_that_came_late_reads_what_it_would_read_alone() -> None:
    memory, bank, alone = network(), MemoryBank(), MemoryBank()
    bank.remember(memory, look(memory, 0), {1: mask(0)}, 0)
    for each in (bank, alone):
        each.remember(memory, look(memory, 1), {2: mask(1)}, 1)
    query = look(memory, 2)
    ids, answer = bank.read(memory, query, {})
    _, other = alone.read(memory, query, {})
    assert ids == [1, 2]
    assert answer.mask_logits.shape == (1, 2, 16, 24)
    assert torch.allclose(answer.iou_logits[:, 1:], other.iou_logits, atol=1e-5)


def test_objects_known_together_answer_as_in_one_network_call() -> None:
    memory, bank = network(), MemoryBank()
    bank.remember(memory, look(memory, 0), {1: mask(0), 7: mask(1)}, 0)
    ids, answer = bank.read(memory, look(memory, 2), {7: mask(3)})
    assert ids == [1, 7]
    assert int((answer.mask_logits > 0).sum(dim=1).max()) <= 1


def test_a_removed_object_leaves_nothing() -> None:
    memory, bank = network(), MemoryBank()
    bank.remember(memory, look(memory, 0), {1: mask(0), 2: mask(1)}, 0)
    bank.remember(memory, look(memory, 1), {1: mask(0)}, 1)
    bank.remove_object(1)
    assert frames(bank, 1) == []
    assert [each.frame for each in bank.memories] == [0]
