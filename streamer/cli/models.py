"""``streamer models``: what there is, how to get it, and whether it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streamer.models.store import ModelEntry

app = typer.Typer(help="What models there are, how to get them, and whether they work.", no_args_is_help=True)

_STYLES = {"bundled": "green", "cached": "green", "broken off": "yellow", "available": "dim"}
_COLUMNS = ("name", "kind", "state", "size", "licence", "good for")
_STATE, _SIZE = 2, 3


@app.command("list")
def list_models() -> None:
    """What is bundled, cached and available: kind, size, licence, and what it is good for."""
    from streamer.models import store
    from streamer.models.weights import hub
    from streamer.models.weights.cache import cache_folder
    from streamer.terminal.console import Terminal

    terminal, rows = Terminal(), [_cells(entry) for entry in store.list_models()]
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    for cells in (_COLUMNS, *rows):
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        padded[_SIZE] = cells[_SIZE].rjust(widths[_SIZE])
        padded[_STATE] = f"[{_STYLES.get(cells[_STATE], 'bold')}]{padded[_STATE]}[/]"
        # Names are there to be copied: on a narrow terminal lines wrap rather than lose their ends.
        terminal.console.print("  ".join(padded).rstrip(), soft_wrap=True, highlight=False)
    terminal.say(f"files go to {cache_folder()}, models of Hugging Face to {hub.cache_folder()}")
    terminal.say("`streamer models pull NAME` gets one, `streamer models check NAME` tries it, `check` alone all files")


def _cells(entry: ModelEntry) -> tuple[str, ...]:
    size = "" if entry.size_bytes is None else f"{entry.size_bytes / 1e6:,.0f} MB"
    licence = f"{entry.licence}, gated" if entry.gated else entry.licence
    return entry.name, entry.kind, entry.state, size, licence, entry.good_for


@app.command()
def pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from `streamer models list`.")],
) -> None:
    """Download a model, or go on with a download that broke off."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from streamer.models import store
    from streamer.terminal.console import Terminal

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    terminal = Terminal()
    with Progress(*columns, console=terminal.console, transient=True, disable=not terminal.lively) as bar:
        task = bar.add_task(name, total=None)
        path = store.download(name, progress=lambda done, total: bar.update(task, completed=done, total=total))
    terminal.say(f"{name} is at {path}")


@app.command()
def check(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Load this one and time one call; every file if left out.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where it runs: auto, cpu, cuda, cuda:1, mps.")] = "auto",
) -> None:
    """Load a model by its name (or folder, or file) and time one call; or verify every file that is here."""
    from streamer.errors import PartialError
    from streamer.models import store
    from streamer.terminal.console import Terminal

    terminal = Terminal()
    if name is not None:
        from streamer.models.trying import try_model

        for line in try_model(name, device):
            terminal.say(line)
        return
    checks = store.check_files()
    for one in checks:
        terminal.say(f"{'ok     ' if one.intact else 'damaged'}  {one.name}: {one.message}")
    if not checks:
        terminal.say("Nothing has been downloaded yet; the bundled models come with the package.")
    damaged = [one.name for one in checks if not one.intact]
    if damaged:
        raise PartialError(f"{', '.join(damaged)} cannot be used: do what is said above.")
