"""``streamer models``: what there is, how to get it, and whether it is whole."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="What models there are, and how to get them.", no_args_is_help=True)

_STYLES = {"bundled": "green", "cached": "green", "available": "dim"}


@app.command("list")
def list_models() -> None:
    """What is bundled, cached and available."""
    from rich.table import Table

    from streamer.models import store
    from streamer.models.weights import hub
    from streamer.models.weights.cache import cache_folder
    from streamer.terminal.console import Terminal

    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("name", "kind", "state", "size"):
        table.add_column(column, no_wrap=True, justify="right" if column == "size" else "left")
    for entry in store.list_models():
        size = "" if entry.size_bytes is None else f"{entry.size_bytes / 1e6:,.0f} MB"
        table.add_row(entry.name, entry.kind, f"[{_STYLES.get(entry.state, '')}]{entry.state}[/]", size)
    terminal = Terminal()
    terminal.console.print(table)
    terminal.say(f"segmenters go to {cache_folder()}, depth models to {hub.cache_folder()}")
    terminal.say("`streamer models pull NAME` gets one, `streamer models check` verifies what is here")


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
def check() -> None:
    """Verify every file that is here."""
    from streamer.errors import PartialError
    from streamer.models import store
    from streamer.terminal.console import Terminal

    checks, terminal = store.check_files(), Terminal()
    for one in checks:
        terminal.say(f"{'ok     ' if one.intact else 'damaged'}  {one.name}: {one.message}")
    if not checks:
        terminal.say("Nothing has been downloaded yet; the bundled models come with the package.")
    damaged = [one.name for one in checks if not one.intact]
    if damaged:
        raise PartialError(f"{', '.join(damaged)} cannot be used: do what is said above.")
