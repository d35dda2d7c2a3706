"""Commands that have the options of another command, without a second list of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

Command = Callable[..., Any]
Given = TypeVar("Given", bound=Command)


def with_options_of(other: Command, without: Iterable[str] = ()) -> Callable[[Given], Given]:
    """Give a function that ends in ``**options`` the options of ``other`` as well, those named left out.

    They follow its own parameters, and come before those that stand after a ``*``.
    """

    def give(function: Given) -> Given:
        *own, _ = _parameters(function)
        taken = {*without, *(parameter.name for parameter in own)}
        theirs = [parameter for parameter in _parameters(other) if parameter.name not in taken]
        ordered = sorted([*own, *theirs], key=lambda parameter: parameter.kind)
        function.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
        return function

    return give


def _parameters(function: Command) -> list[inspect.Parameter]:
    """The parameters with what their annotations mean; what is returned need not be known."""
    known = vars(inspect.getmodule(function))
    parameters = inspect.signature(function).parameters.values()
    return [parameter.replace(annotation=_meant(parameter.annotation, known)) for parameter in parameters]


def _meant(annotation: Any, known: dict[str, Any]) -> Any:
    return eval(annotation, known) if isinstance(annotation, str) else annotation
