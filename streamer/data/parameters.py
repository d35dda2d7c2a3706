"""What the parameters of every part have in common. Each part's own are a section of the config, handed over whole."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Parameters(BaseModel):
    """Frozen, checked when made, and without room for a key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")
