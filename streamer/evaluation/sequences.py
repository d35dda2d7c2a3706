"""Sequences whose true masks are known: folders in DAVIS layout, and rendered scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame
from streamer.data.mask import box_of, innermost_of
from streamer.data.prompt import Prompt
from streamer.data.source import Source
from streamer.errors import SourceError
from streamer.sinks.masks import read_labels
from streamer.sources.images import ImageFolderSource, images_in
from streamer.synthetic import SceneSource

Labels = NDArray[np.uint8]

SCENE, TWINS = "scene", "twins"
_SCENE_SIZE, _SCENE_FRAMES, _SCENE_OBJECTS = (854, 480), 600, 4
_SCENE_SEEDS = ("0", "1", "2")
_TWIN_FRAMES, _TWIN_OBJECTS = 180, 8
_RESOLUTION = "480p"


@dataclass(frozen=True, slots=True)
class LabeledSequence:
    """Frames with their truth.

    Attributes:
        name: Of the sequence.
        frame_count: How many frames there are.
        open: Opens the frames from the first one.
        labels: ``(H, W)`` uint8 object ids of a frame by its index, 0 is the background; None where there is no truth.
    """

    name: str
    frame_count: int
    open: Callable[[], Source]
    labels: Callable[[int], Labels | None]

    def frames(self) -> Iterator[Frame]:
        """Every frame, in order."""
        source = self.open()
        try:
            while (frame := source.read()) is not None:
                yield frame
        finally:
            source.close()


def sequences_of(root: str, names: Sequence[str] = ()) -> list[LabeledSequence]:
    """The sequences of a folder in DAVIS layout, or rendered ones, whose names are their seeds.

    Those of ``scene`` have objects of several kinds, those of ``twins`` eight that look the same.

    Raises:
        SourceError: There is no such folder or sequence.
    """
    if root in (SCENE, TWINS):
        return [_rendered(root, seed) for seed in names or _SCENE_SEEDS]
    images = Path(root) / "JPEGImages" / _RESOLUTION
    if not images.is_dir():
        raise SourceError(f"There is no folder {images}: name a folder in DAVIS layout, `{SCENE}` or `{TWINS}`.")
    known = sorted(path.name for path in images.iterdir() if path.is_dir())
    unknown = [name for name in names if name not in known]
    if unknown or not known:
        raise SourceError(f"There is no sequence {', '.join(unknown)} in {images}: choose of {', '.join(known)}.")
    return [_davis(Path(root), name) for name in names or known]


def prompts_for(labels: Labels, init: str) -> list[Prompt]:
    """What a person would say of every object: its mask, a box around it, or a click at its innermost point."""
    prompts = []
    for value in np.unique(labels[labels > 0]).tolist():
        mask = labels == value
        if init == "mask":
            prompts.append(Prompt(mask=mask, object_id=value))
        elif init == "box":
            prompts.append(Prompt(box=box_of(mask), object_id=value))
        else:
            prompts.append(Prompt([innermost_of(mask)], [1], object_id=value))
    return prompts


def _davis(root: Path, name: str) -> LabeledSequence:
    folder = root / "JPEGImages" / _RESOLUTION / name
    truths = root / "Annotations" / _RESOLUTION / name
    stems = [path.stem for path in images_in(folder)]
    if not (truths / f"{stems[0]}.png").is_file():
        raise SourceError(f"There is no mask {truths / stems[0]}.png: the first frame of a sequence needs one.")

    def labels(index: int) -> Labels | None:
        path = truths / f"{stems[index]}.png"
        return read_labels(path) if path.is_file() else None

    return LabeledSequence(name, len(stems), lambda: ImageFolderSource(folder), labels)


def _rendered(kind: str, seed: str) -> LabeledSequence:
    if not seed.isdigit():
        raise SourceError(f"Rendered scenes are named by numbers, but this one is {seed!r}.")
    twins = kind == TWINS
    frames, objects = (_TWIN_FRAMES, _TWIN_OBJECTS) if twins else (_SCENE_FRAMES, _SCENE_OBJECTS)

    def scene() -> SceneSource:
        return SceneSource(int(seed), _SCENE_SIZE, frame_count=frames, objects=objects, twins=twins)

    truth = scene()
    return LabeledSequence(f"{kind}-{seed}", frames, scene, lambda index: truth.truth(index).labels)
