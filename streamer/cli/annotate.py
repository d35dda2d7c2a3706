"""``streamer annotate``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamer.cli.options import Cutout, Follow, HdrMode, HdrOption, Matte, VideoTrack
from streamer.cli.prompts import say_understood
from streamer.cli.run_options import read_wanted
from streamer.cli.signatures import with_options_of

if TYPE_CHECKING:
    from streamer.batch.job import AnnotateJob
    from streamer.config import Config


@with_options_of(read_wanted)
def read_job(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Videos, pictures, folders, patterns, addresses; - to pipe one."),
    ],
    *,
    cutout: Cutout = None,
    matte: Matte = None,
    video_track: VideoTrack = None,
    follow: Follow = None,
    hdr: HdrOption = HdrMode.TONE_MAP,
    **options: Any,
) -> tuple[Config, AnnotateJob]:
    """The settings and the job that the options ask for.

    Raises:
        ConfigError: A preset, key or value does not exist or fit.
        PromptError: A prompt or a known distance is said wrongly.
    """
    from streamer.batch.job import AnnotateJob
    from streamer.sinks.targets import FOLDER, Targets

    settings, targets, prompts, known = read_wanted(**options)
    targets = replace(targets, cutout=cutout, matte=matte) or Targets(output=FOLDER)
    kept = hdr is HdrMode.KEEP
    return settings, AnnotateJob(sources, prompts, targets, bool(settings.show), video_track, known, follow, kept)


@with_options_of(read_job)
def annotate(**options: Any) -> None:
    """Turn videos and pictures into annotated ones. Every frame is kept, with its time and the sound.

    Without a prompt, the objects are found on the first frame. Without -o, the result goes to recordings/.

        streamer annotate clip.mp4 --point 640,360 -o out.mp4
        streamer annotate photo.jpg --everything -o pictures/
    """
    from streamer.batch.pictures import PictureJob, pictures
    from streamer.batch.serial import annotate as run
    from streamer.engine import Engine
    from streamer.sources.open import kind_of

    settings, job = read_job(**options)
    say_understood(job.prompts, options["points"], options["boxes"], aside=job.targets.take_stdout)
    with Engine(settings) as engine:
        of_photos = options["everything"] and all(kind_of(source) == "image" for source in job.sources)
        raise typer.Exit(pictures(engine, PictureJob.of_everything(job)) if of_photos else run(engine, job))
