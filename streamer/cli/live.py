"""``streamer live``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from streamer.cli.options import HOW, WHAT
from streamer.cli.prompts import say_understood
from streamer.cli.run_options import read_wanted
from streamer.cli.serve_option import Serve, Token
from streamer.cli.signatures import with_options_of


@with_options_of(read_wanted)
def live(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE]...", help="Camera number (0), device, URL, file, or `scene`; or pictures."),
    ] = None,
    *,
    serve: Serve = None,
    token: Token = None,
    width: Annotated[
        int | None, typer.Option(help="Ask the camera for this width in pixels.", rich_help_panel=HOW)
    ] = None,
    height: Annotated[int | None, typer.Option(help="Ask the camera for this height.", rich_help_panel=HOW)] = None,
    fps: Annotated[
        float | None, typer.Option(help="Ask the camera for this frame rate in Hz.", rich_help_panel=HOW)
    ] = None,
    source_fps: Annotated[
        float | None, typer.Option(help="Play a file or the scene at this rate in Hz.", rich_help_panel=HOW)
    ] = None,
    loop: Annotated[
        bool, typer.Option("--loop", metavar="", help="Play a recording again and again.", rich_help_panel=HOW)
    ] = False,
    prompts_file: Annotated[
        Path | None,
        typer.Option(
            "--prompts", metavar="FILE.yaml", help="What to follow; read again on SIGHUP.", rich_help_panel=WHAT
        ),
    ] = None,
    wait_for_source: Annotated[
        bool,
        typer.Option("--wait-for-source", metavar="", help="Wait for a camera that is not there.", rich_help_panel=HOW),
    ] = False,
    json_log: Annotated[
        bool, typer.Option("--json-log", metavar="", help="Messages as JSON, on stderr.", rich_help_panel=HOW)
    ] = False,
    **options: Any,
) -> None:
    """Show masks and depth on a camera, a stream, a file at its own rate, pictures, or the rendered `scene`.

    Click on things in the window; h shows the keys. A picture, and the last frame of a recording, stay on the screen
    until you quit; comma and period turn to the picture before and after.

        streamer live 0
        streamer live photo.jpg another.jpg
        streamer live rtsp://camera.local/stream -o watch.mp4 --no-show
        streamer live 0 --config robot --jsonl - | my-program
        streamer live 0 --serve                  # in a browser, also of a machine without a screen
    """
    from streamer.data.prompts_file import read_prompts_file
    from streamer.engine import Engine
    from streamer.session.live import CameraRequest, LiveJob
    from streamer.session.live import live as run
    from streamer.session.service import Service
    from streamer.session.serving import Serving

    settings, targets, prompts, known = read_wanted(**options)
    say_understood(prompts, options["points"], options["boxes"], aside=targets.take_stdout)
    camera, serving = CameraRequest(width, height, fps, source_fps), None if serve is None else Serving(serve, token)
    if prompts_file is not None:
        prompts += read_prompts_file(prompts_file)
    service = Service(wait_for_source, prompts_file, json_log)
    job = LiveJob(sources or ["0"], prompts, targets, camera, loop, serving, known, service)
    with Engine(settings) as engine:
        raise typer.Exit(run(engine, job))
