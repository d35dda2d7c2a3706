"""What is remembered of earlier frames: never more than a few of them, whatever the length of the video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from streamer.models.tiny.memory import Answer, MemoryNetwork
from streamer.models.tiny.memory_decoder import Carried, Query, set_apart


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """One frame with masks.

    Attributes:
        frame: Its index.
        key: ``(64, h * w)``.
        values: ``(66, h * w)`` of every object whose mask is known on that frame.
        permanent: Objects whose mask a person gave; it is kept.
    """

    frame: int
    key: Tensor
    values: dict[int, Tensor]
    permanent: frozenset[int] = frozenset()


@dataclass(slots=True)
class MemoryBank:
    """Remembers a few frames for every object, and reads from them.

    An object that was added late is read from the frames that know it. Objects known on the same frames share one
    affinity.

    Attributes:
        recent: So many frames are kept for an object beside those that a person gave.
        given: So many of those are kept: the first one, and the newest.
    """

    recent: int = 5
    given: int = 3
    memories: list[Memory] = field(default_factory=list)

    @torch.inference_mode()
    def remember(
        self,
        network: MemoryNetwork,
        query: Query,
        masks: dict[int, Tensor],
        frame: int,
        given: bool = False,
    ) -> None:
        """Take in the masks of a frame.

        Args:
            query: Of that frame, of one image.
            masks: ``(4h, 4w)``, 0 to 1, of every object that is known there.
            given: Whether a person gave them.
        """
        values = network.values(query, torch.stack(list(masks.values()))[None])[0].flatten(2)
        known = dict(zip(masks, values, strict=True))
        memory = Memory(frame, query.key[0].flatten(1), known, frozenset(masks if given else ()))
        self.memories = sorted([*self.memories, memory], key=lambda memory: memory.frame)
        for object_id in masks:
            self._forget_surplus(object_id)

    @torch.inference_mode()
    def read(self, network: MemoryNetwork, query: Query, carried: dict[int, Tensor]) -> tuple[list[int], Answer]:
        """The masks of all objects on one more frame, and whose they are.

        Args:
            query: Of that frame, of one image.
            carried: ``(4h, 4w)``, 0 to 1, of those objects that flow has carried there.
        """
        ids: list[int] = []
        answers: list[Answer] = []
        for memories, members in self._groups():
            keys = torch.cat([memory.key for memory in memories], dim=1)[None]
            values = [torch.cat([memory.values[member] for memory in memories], dim=1) for member in members]
            hint = _carried(members, carried, query)
            answers.append(network.recall(query, keys, torch.stack(values)[None], hint))
            ids += members
        together = Answer(*(torch.cat(parts, dim=1) for parts in zip(*answers, strict=True)))
        return ids, together._replace(mask_logits=set_apart(together.mask_logits))

    def remove_object(self, object_id: int) -> None:
        """Forget everything about an object."""
        self.memories = [_without(memory, object_id) for memory in self.memories]
        self.memories = [memory for memory in self.memories if memory.values]

    def _groups(self) -> list[tuple[list[Memory], list[int]]]:
        """Objects that are known on the same frames, with those frames."""
        members: dict[tuple[int, ...], list[int]] = {}
        for object_id in sorted({each for memory in self.memories for each in memory.values}):
            known = tuple(at for at, memory in enumerate(self.memories) if object_id in memory.values)
            members.setdefault(known, []).append(object_id)
        return [([self.memories[at] for at in known], ids) for known, ids in members.items()]

    def _forget_surplus(self, object_id: int) -> None:
        """Keep the first and the newest frames that a person gave, and the newest of the others."""
        known = [memory for memory in self.memories if object_id in memory.values]
        given = [memory for memory in known if object_id in memory.permanent]
        others = [memory for memory in known if object_id not in memory.permanent]
        surplus = given[1 : max(1, len(given) - self.given + 1)] + others[: max(0, len(others) - self.recent)]
        for memory in surplus:
            self.memories[self.memories.index(memory)] = _without(memory, object_id)
        self.memories = [memory for memory in self.memories if memory.values]


def _carried(ids: Sequence[int], carried: dict[int, Tensor], query: Query) -> Carried:
    nothing = torch.zeros(query.stride4.shape[-2:], device=query.stride4.device)
    known = torch.tensor([[float(each in carried) for each in ids]], device=nothing.device)
    return Carried(torch.stack([carried.get(each, nothing) for each in ids])[None], known)


def _without(memory: Memory, object_id: int) -> Memory:
    values = {each: value for each, value in memory.values.items() if each != object_id}
    return Memory(memory.frame, memory.key, values, memory.permanent - {object_id})
