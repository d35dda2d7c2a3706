"""The command line: arguments in, calls out. Everything slow is imported by the command that needs it."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli import (
    annotate,
    batch,
    bench,
    demo,
    doctor,
    evaluate,
    evaluate_depth,
    evaluate_everything,
    evaluate_meters,
    live,
    models,
    picture,
)
from streamer.cli.serve_option import ServingCommand

app = typer.Typer(
    name="streamer",
    help="Masks that follow what you click, and depth, on every frame of a camera or a video.",
    epilog="Add --debug to any command to see where an error came from.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from streamer import __version__

        typer.echo(f"streamer {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", help="Show the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


app.command()(annotate.annotate)
app.command()(batch.batch)
app.command(cls=ServingCommand)(live.live)
app.command()(picture.picture)
app.command()(demo.demo)
app.command("eval")(evaluate.evaluate)
app.command("eval-depth")(evaluate_depth.evaluate_depth)
app.command("eval-everything")(evaluate_everything.evaluate_everything)
app.command("eval-meters")(evaluate_meters.evaluate_meters)
app.command()(doctor.doctor)
app.add_typer(models.app, name="models")
app.add_typer(bench.app, name="bench")
