"""Prompts from a YAML file, which may be changed while a run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from streamer.data.prompt import Prompt
from streamer.errors import PromptError


class _Entry(BaseModel):
    """One object: ``points`` of x, y and, where it is a background click, 0; a ``box``; a ``label``; an ``id``."""

    model_config = ConfigDict(extra="forbid")

    points: list[tuple[float, float] | tuple[float, float, int]] = []
    box: tuple[float, float, float, float] | None = None
    label: str | None = None
    id: int | None = None

    def prompt(self) -> Prompt:
        coords, labels = [point[:2] for point in self.points], [(*point, 1)[2] for point in self.points]
        return Prompt(coords, labels, self.box, object_id=self.id, label=self.label)


def read_prompts_file(path: Path) -> list[Prompt]:
    """What a file says is to be followed: a list with one entry per object.

    ::

        - {points: [[640, 360]], label: cup}
        - {box: [100, 80, 220, 300], id: 7}

    Raises:
        PromptError: It cannot be read, or an entry says something else.
    """
    try:
        entries: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        read = TypeAdapter(list[_Entry]).validate_python(entries)
    except OSError as error:
        raise PromptError(f"The prompts in {path} cannot be read ({error.strerror}): check the path.") from None
    except (yaml.YAMLError, ValueError) as error:
        what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "it is not valid YAML"
        raise PromptError(
            f"The prompts in {path} do not fit ({what}): write a list like `- {{points: [[640, 360]], label: cup}}`."
        ) from None
    return [entry.prompt() for entry in read]
