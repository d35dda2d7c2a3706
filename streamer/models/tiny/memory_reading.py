"""Keeping a frame's objects, and reading several objects from frames that need not know all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from streamer.models.protocols import Memory
from streamer.models.tiny.memory import Answer, MemoryNetwork
from streamer.models.tiny.memory_decoder import Carried, Query, set_apart


def remember_objects(network: MemoryNetwork, query: Query, masks: Mapping[int, Tensor]) -> Memory:
    """What to keep of a frame of one image with these ``(4h, 4w)`` masks, 0 to 1; no cell counts for more than one."""
    key = query.key[0].flatten(1)
    if not masks:
        return Memory(key, {})
    shares = torch.stack(list(masks.values()))
    values = network.values(query, (shares / shares.sum(0).clamp(min=1))[None])[0].flatten(2)
    return Memory(key, dict(zip(masks, values, strict=True)))


def recall_objects(
    network: MemoryNetwork,
    query: Query,
    memories: Sequence[Memory],
    object_ids: Sequence[int],
    carried: Mapping[int, Tensor],
) -> Answer:
    """The masks of objects on one more frame, each read from the frames that know it.

    Objects known on the same frames share one affinity.

    Args:
        query: Of that frame, of one image.
        memories: With keys ``(64, h * w)`` and values ``(66, h * w)``.
        object_ids: Whose masks, in which order.
        carried: ``(4h, 4w)``, 0 to 1, of those objects that flow has carried there, and of others beside them.
    """
    members: dict[tuple[int, ...], list[int]] = {}
    for object_id in object_ids:
        known = tuple(at for at, memory in enumerate(memories) if object_id in memory.values)
        members.setdefault(known, []).append(object_id)
    answers: dict[int, Answer] = {}
    for known, ids in members.items():
        keys = torch.cat([memories[at].key for at in known], dim=1)[None]
        values = [torch.cat([memories[at].values[each] for at in known], dim=1) for each in ids]
        answer = network.recall(query, keys, torch.stack(values)[None], _carried(ids, carried, query))
        answers |= {each: Answer(*(part[:, at : at + 1] for part in answer)) for at, each in enumerate(ids)}
    in_order = (answers[each] for each in object_ids)
    together = Answer(*(torch.cat(parts, dim=1) for parts in zip(*in_order, strict=True)))
    everything = list(dict.fromkeys((*object_ids, *carried)))
    masks = _carried(everything, carried, query).masks
    return together._replace(mask_logits=set_apart(together.mask_logits, masks))


def _carried(ids: Sequence[int], carried: Mapping[int, Tensor], query: Query) -> Carried:
    nothing = torch.zeros(query.stride4.shape[-2:], device=query.stride4.device)
    known = torch.tensor([[float(each in carried) for each in ids]], device=nothing.device)
    return Carried(torch.stack([carried.get(each, nothing) for each in ids])[None], known)
