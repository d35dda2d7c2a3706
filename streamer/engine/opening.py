"""A source opened for what is to be followed on it, before anything slow begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamer.data.prompt import Prompt, check_inside
from streamer.data.source import Source, SourceInfo
from streamer.errors import PromptError


def checked_prompts(prompts: Prompt | Sequence[Prompt], masks: bool) -> Sequence[Prompt]:
    """What is to be followed, as a sequence.

    Raises:
        PromptError: One is no prompt, or masks are left out.
    """
    prompts = [prompts] if isinstance(prompts, Prompt) else list(prompts)
    if prompts and not masks:
        raise PromptError("Masks are left out, so nothing can be followed: let them in, or say nothing to follow.")
    for prompt in prompts:
        if not isinstance(prompt, Prompt):
            raise PromptError(f"A prompt is a streamer.Prompt, as in Prompt([(80, 60)]), but this one is {prompt!r}.")
    return prompts


def opened_source(
    open_it: Callable[[], Source], prompts: Sequence[Prompt], check: Callable[[SourceInfo], object] | None
) -> Source:
    """The open source, once prompts and ``check`` agree with what it is; closed where they do not.

    Raises:
        SourceError: It cannot be opened.
        PromptError: A prompt does not lie on its frames.
    """
    opened = open_it()
    try:
        check_inside(prompts, opened.info.size)
        if check is not None:
            check(opened.info)
    except BaseException:
        opened.close()
        raise
    return opened
