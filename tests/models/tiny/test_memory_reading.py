"""Objects are read from the frames that know them."""

from __future__ import annotations

import torch

from streamer.models.protocols import Memory
from streamer.models.tiny.memory import ImageFeatures, MemoryNetwork
from streamer.models.tiny.memory_decoder import DISTRACTOR_LOGITS, Query
from streamer.models.tiny.memory_reading import recall_objects


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


def remembered(memory: MemoryNetwork, query: Query, masks: dict[int, torch.Tensor]) -> Memory:
    values = memory.values(query, torch.stack(list(masks.values()))[None])[0].flatten(2)
    return Memory(query.key[0].flatten(1), dict(zip(masks, values, strict=True)))


def test_an_object_that_came_late_reads_what_it_would_read_alone() -> None:
    memory = network()
    first = remembered(memory, look(memory, 0), {1: mask(0)})
    second = remembered(memory, look(memory, 1), {2: mask(1)})
    query = look(memory, 2)
    answer = recall_objects(memory, query, [first, second], [1, 2], {})
    other = recall_objects(memory, query, [second], [2], {})
    assert answer.mask_logits.shape == (1, 2, 16, 24)
    assert torch.allclose(answer.iou_logits[:, 1:], other.iou_logits, atol=1e-5)


def test_objects_known_together_answer_as_in_one_network_call_in_the_order_wanted() -> None:
    memory = network()
    frame = remembered(memory, look(memory, 0), {1: mask(0), 7: mask(1)})
    answer = recall_objects(memory, look(memory, 2), [frame], [1, 7], {7: mask(3)})
    turned = recall_objects(memory, look(memory, 2), [frame], [7, 1], {7: mask(3)})
    assert int((answer.mask_logits > 0).sum(dim=1).max()) <= 1
    assert torch.allclose(answer.mask_logits, turned.mask_logits.flip(1), atol=1e-5)
    assert torch.allclose(answer.presence_logits, turned.presence_logits.flip(1), atol=1e-5)


def test_an_object_that_is_not_asked_about_speaks_against_one_that_is() -> None:
    memory = network()
    frame = remembered(memory, look(memory, 0), {1: mask(0)})
    here, there = mask(3), mask(4)
    alone = recall_objects(memory, look(memory, 2), [frame], [1], {1: here})
    beside = recall_objects(memory, look(memory, 2), [frame], [1], {1: here, 2: there})
    against = DISTRACTOR_LOGITS * (there - here).clamp(min=0)
    assert torch.allclose(beside.mask_logits[0, 0], alone.mask_logits[0, 0] - against, atol=1e-5)
