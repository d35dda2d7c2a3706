"""``--serve [HOST:PORT]``: an option whose value may be left out, which Typer has no word for."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from streamer.cli.options import HOW
from streamer.ui.browser.address import DEFAULT

_OPTION = "--serve"
_LOOKS_LIKE_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]*):\d+|\d{3,5}", re.ASCII)
"""A port alone has three digits at least: what is shorter is a camera's number."""

Serve = Annotated[
    str | None,
    typer.Option(
        _OPTION,
        metavar="[HOST:PORT]",
        help=f"Show it in browsers, at {DEFAULT} if no address is named; see docs/browser.md.",
        rich_help_panel=HOW,
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="STREAMER_TOKEN",
        show_envvar=True,
        help="What --serve asks for; made and printed where other machines can reach it.",
        rich_help_panel=HOW,
    ),
]


class ServingCommand(TyperCommand):
    """A command with `Serve` among its options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_address(args))


def with_address(arguments: list[str]) -> list[str]:
    """The arguments with the default after every ``--serve`` that no address follows."""
    filled: list[str] = []
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        bare = argument == _OPTION and not _LOOKS_LIKE_ADDRESS.fullmatch(following)
        filled += [f"{_OPTION}={DEFAULT}"] if bare else [argument]
    return filled
