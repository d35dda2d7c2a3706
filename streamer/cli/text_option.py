"""``--text``: what to follow, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from streamer.cli.options import WHAT
from streamer.errors import PromptError

if TYPE_CHECKING:
    from streamer.config import Config

Text = Annotated[
    str | None,
    typer.Option(
        "--text",
        metavar='"PHRASE; PHRASE"',
        help='What to find and follow, in words: "person; red ball".',
        rich_help_panel=WHAT,
    ),
]


def with_text(settings: Config, text: str | None) -> Config:
    """The settings with what was said, in the config or in the option, known to be words that the detector knows.

    Raises:
        PromptError: A phrase is empty, very long or not known, there are very many, or masks are left out.
    """
    text = settings.text if text is None else text
    if text is None:
        return settings
    if settings.segmenter is None:
        raise PromptError("Masks are left out, so nothing that is said can be followed: let them in.")
    from streamer.models.detectors.registry import checked_phrases

    return settings.model_copy(update={"text": "; ".join(checked_phrases(text, settings.detector))})
