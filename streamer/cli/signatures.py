"""Commands that have the options of another command, without a second list of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

Command = Callable[..., Any]


def with_options_of(other: Command, without: Iterable[str] = ()) -> Callable[[Command], Command]:
    """Give a function that ends in ``**options`` the options of ``other`` in their place, those named left out."""

    def give(function: Command) -> Command:
        *own, _ = _parameters(function)
        taken = {*without, *(parameter.name for parameter in own)}
        theirs = [parameter for parameter in _parameters(other) if parameter.name not in taken]
        function.__signature__ = inspect.Signature([*own, *theirs])  # type: ignore[attr-defined]
        return function

    return give


def _parameters(function: Command) -> list[inspect.Parameter]:
    """The parameters with what their annotations mean; what is returned need not be known."""
    known = vars(inspect.getmodule(function))
    parameters = inspect.signature(function).parameters.values()
    return [parameter.replace(annotation=_meant(parameter.annotation, known)) for parameter in parameters]


def _meant(annotation: Any, known: dict[str, Any]) -> Any:
    return eval(annotation, known) if isinstance(annotation, str) else annotation
