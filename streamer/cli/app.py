"""The command line: arguments in, calls out. Everything slow is imported by the command that needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
models_app = typer.Typer(help="What models there are, and how to get them.", no_args_is_help=True)
app.add_typer(models_app, name="models")
bench_app = typer.Typer(help="How fast and how good it is on this machine.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")


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


WHAT, WHERE, HOW = "What to follow", "What to write", "How to run"

Config = Annotated[
    str, typer.Option("--config", "-c", metavar="NAME|FILE.yaml", help="A preset or a file.", rich_help_panel=HOW)
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="SECTION.KEY=VALUE", help="Override one config entry.", rich_help_panel=HOW),
]
NoDepth = Annotated[bool, typer.Option("--no-depth", metavar="", help="Leave depth out.", rich_help_panel=HOW)]
NoMasks = Annotated[bool, typer.Option("--no-masks", metavar="", help="Leave masks out.", rich_help_panel=HOW)]
Show = Annotated[
    bool | None,
    typer.Option(
        "--show/--no-show", metavar="", help="The window. `live` shows it, `annotate` does not.", rich_help_panel=HOW
    ),
]
Points = Annotated[
    list[str] | None,
    typer.Option(
        "--point",
        metavar="[ID:]X,Y[,LABEL]",
        help="A click on the first frame; LABEL 1 foreground (default), 0 background.",
        rich_help_panel=WHAT,
    ),
]
Boxes = Annotated[
    list[str] | None,
    typer.Option("--box", metavar="[ID:]X0,Y0,X1,Y1", help="A box on the first frame.", rich_help_panel=WHAT),
]
InitMask = Annotated[
    Path | None,
    typer.Option(metavar="FILE.png", help="Indexed PNG: each non-zero value is an object.", rich_help_panel=WHAT),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|DIR",
        help=".mp4 or .mkv (.png or .jpg for a picture), or a folder.",
        rich_help_panel=WHERE,
    ),
]
Masks = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="One indexed PNG per frame, as DAVIS has them.", rich_help_panel=WHERE),
]
DepthMaps = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="One 16-bit PNG per frame: 1000 x inverse depth.", rich_help_panel=WHERE),
]
Jsonl = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|-", help="One JSON line per frame: objects, masks, depth; - to pipe it.", rich_help_panel=WHERE
    ),
]
Stats = Annotated[
    Path | None, typer.Option(metavar="FILE.json", help="The figures of the run, at its end.", rich_help_panel=WHERE)
]


@app.command()
def annotate(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Videos, pictures, folders or patterns.")],
    points: Points = None,
    boxes: Boxes = None,
    init_mask: InitMask = None,
    output: Output = None,
    masks: Masks = None,
    depth_maps: DepthMaps = None,
    jsonl: Jsonl = None,
    stats: Stats = None,
    config: Config = "tiny",
    overrides: Overrides = None,
    no_depth: NoDepth = False,
    no_masks: NoMasks = False,
    show: Show = None,
) -> None:
    """Turn videos and pictures into annotated ones. Every frame is kept, with its time and the sound.

    Without a prompt, the objects are found on the first frame. Without -o, the result goes to recordings/.

        streamer annotate clip.mp4 --point 640,360 -o out.mp4
    """
    from streamer.batch.serial import Job, annotate, load_config
    from streamer.cli.prompting import read_prompts
    from streamer.sinks.targets import FOLDER, Targets

    settings = load_config(config, overrides or [], no_depth, no_masks, show)
    targets = Targets(output, masks, depth_maps, jsonl, stats)
    if not targets:
        targets = Targets(output=FOLDER)
    job = Job(sources, read_prompts(points or [], boxes or [], init_mask), targets, show=bool(settings.show))
    raise typer.Exit(annotate(settings, job))


@app.command()
def live(
    source: Annotated[
        str, typer.Argument(metavar="[SOURCE]", help="Camera number, device, URL, file, or `scene`.")
    ] = "0",
    points: Points = None,
    boxes: Boxes = None,
    init_mask: InitMask = None,
    output: Output = None,
    masks: Masks = None,
    depth_maps: DepthMaps = None,
    jsonl: Jsonl = None,
    stats: Stats = None,
    config: Config = "tiny",
    overrides: Overrides = None,
    no_depth: NoDepth = False,
    no_masks: NoMasks = False,
    show: Show = None,
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
) -> None:
    """Show masks and depth on a camera, a stream, a file at its own rate, or the rendered `scene`.

    Click on things in the window; h shows the keys.

        streamer live 0
        streamer live rtsp://camera.local/stream -o watch.mp4 --no-show
        streamer live 0 --config robot --jsonl - | my-program
    """
    from streamer.batch.serial import load_config
    from streamer.cli.live import Camera, LiveJob, live
    from streamer.cli.prompting import read_prompts
    from streamer.sinks.targets import Targets

    settings = load_config(config, overrides or [], no_depth, no_masks, show)
    job = LiveJob(
        source,
        read_prompts(points or [], boxes or [], init_mask),
        Targets(output, masks, depth_maps, jsonl, stats),
        Camera(width, height, fps, source_fps),
    )
    raise typer.Exit(live(settings, job))


@app.command()
def demo(
    output: Output = None,
    config: Config = "tiny",
    overrides: Overrides = None,
    frames: Annotated[int, typer.Option(help="Length of the scene in frames.", min=1)] = 240,
    seed: Annotated[int, typer.Option(help="Which scene.", min=0)] = 0,
) -> None:
    """Render a scene, segment and track its objects, estimate depth, and compare with the scene's own truth."""
    from streamer.batch.serial import load_config
    from streamer.cli.demo import demo

    raise typer.Exit(demo(load_config(config, overrides or []), output, frames, seed))


@app.command("eval")
def evaluate(
    root: Annotated[str, typer.Argument(metavar="ROOT", help="A folder in DAVIS layout, or `scene`.")],
    sequences: Annotated[
        str, typer.Option(metavar="A,B", help="Only these sequences (of `scene`: seeds).", show_default="all")
    ] = "",
    init: Annotated[str, typer.Option(metavar="mask|box|click", help="What is said about each object.")] = "mask",
    method: Annotated[
        str,
        typer.Option(
            metavar="ours|flow|every-frame|ablation", help="What follows them; `ablation` leaves out part by part."
        ),
    ] = "ours",
    config: Config = "tiny",
    overrides: Overrides = None,
    late: Annotated[
        int, typer.Option(metavar="FRAMES", help="SAM's answers come so many frames late, as when live.", min=0)
    ] = 0,
    json: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the figures here as well.")] = None,
) -> None:
    """Measure how well objects are followed: J, F, decay, frame rate and keyframes of every sequence.

    streamer eval DAVIS --init click --method every-frame
    """
    from streamer.batch.serial import load_config
    from streamer.evaluation.masks import EvalJob, evaluate

    names = [name for name in sequences.split(",") if name]
    settings = load_config(config, overrides or [])
    raise typer.Exit(evaluate(settings, EvalJob(root, names, init, method, late, json)))


@app.command("eval-depth")
def evaluate_depth(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Registered color, depth and poses.")],
    config: Config = "tiny",
    overrides: Overrides = None,
    json: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the figures here as well.")] = None,
) -> None:
    """Measure how right and how steady depth is, beside the model on every frame."""
    from streamer.batch.serial import load_config
    from streamer.evaluation.depth import evaluate_depth

    raise typer.Exit(evaluate_depth(load_config(config, overrides or []), folder, json))


@app.command()
def doctor() -> None:
    """What works here (device, codecs, cameras, display, models), and what to do about what doesn't."""
    from streamer.cli.doctor import doctor

    raise typer.Exit(doctor())


@models_app.command("list")
def models_list() -> None:
    """What is bundled, cached and available."""
    from streamer.cli.models import list_models

    list_models()


@models_app.command("pull")
def models_pull(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from `streamer models list`.")],
) -> None:
    """Download a model, or go on with a download that broke off."""
    from streamer.cli.models import pull

    pull(name)


@models_app.command("check")
def models_check() -> None:
    """Verify every file that is here."""
    from streamer.cli.models import check

    raise typer.Exit(check())


@bench_app.command("models")
def bench_models(
    segmenters: Annotated[
        list[str] | None, typer.Option("--segmenter", metavar="NAME", help="tiny, vit_b, vit_l, vit_h; repeatable.")
    ] = None,
    depth_models: Annotated[
        list[str] | None, typer.Option("--depth", metavar="NAME", help="tiny or Intel/dpt-...; repeatable.")
    ] = None,
    repeats: Annotated[int, typer.Option(help="The best of so many images counts.", min=1)] = 3,
    threads: Annotated[int, typer.Option(help="Processor threads.", min=1)] = 2,
) -> None:
    """Time, memory and error of the models here, against upstream's as their READMEs use them."""
    from streamer.benchmarks.models import bench_models

    bench_models(segmenters or ["tiny", "vit_b"], depth_models or ["tiny", "Intel/dpt-hybrid-midas"], repeats, threads)


@bench_app.command("file")
def bench_file(
    source: Annotated[str, typer.Argument(metavar="CLIP", help="A video, or `scene` for the rendered scene.")],
    points: Points = None,
    boxes: Boxes = None,
    config: Config = "tiny",
    overrides: Overrides = None,
    frames: Annotated[int | None, typer.Option(help="Only the first ones.", min=1, show_default="all")] = None,
    loop_seconds: Annotated[float, typer.Option(help="After how many seconds the obvious loop ends.", min=0)] = 60.0,
    repeats: Annotated[int, typer.Option(help="The best of so many runs counts; the loop runs once.", min=1)] = 1,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE.json", help="The figures.")] = None,
) -> None:
    """Time `annotate` from file to file, beside the obvious loop and beside decoding and encoding alone.

    The obvious loop is upstream's models on every frame. Models that were never pulled get random weights.
    """
    from streamer.batch.serial import load_config
    from streamer.benchmarks.file import FileBench, bench_file
    from streamer.cli.prompting import read_prompts

    prompts = read_prompts(points or [], boxes or [], None)
    bench = FileBench(source, prompts, frames, loop_seconds, repeats, json=json)
    raise typer.Exit(bench_file(load_config(config, overrides or []), bench))


@bench_app.command("memory")
def bench_memory(
    frames: Annotated[int, typer.Option(help="Length of the run.", min=2)] = 20_000,
    settled: Annotated[int, typer.Option(help="Frames after which memory should grow no more.", min=1)] = 500,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the rendered scene in pixels.")] = "320x180",
    config: Config = "tiny",
    overrides: Overrides = None,
) -> None:
    """Follow the objects of a long rendered scene, and print how much memory it takes as it goes on."""
    from streamer.batch.serial import load_config
    from streamer.benchmarks.clip import size_of
    from streamer.benchmarks.memory import MemoryBench
    from streamer.benchmarks.memory import bench_memory as run

    run(load_config(config, overrides or []), MemoryBench(frames, settled, size_of(size)))


@bench_app.command("loop")
def bench_loop(
    frames: Annotated[int, typer.Option(help="Length of the run.", min=1)] = 300,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the rendered scene in pixels.")] = "854x480",
    objects: Annotated[int, typer.Option(help="Objects in it.", min=1, max=16)] = 4,
    config: Config = "tiny",
    overrides: Overrides = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE.json", help="The figures.")] = None,
) -> None:
    """Time what a frame costs beside the models, on one thread: flow, tracking, carrying and drawing."""
    from streamer.batch.serial import load_config
    from streamer.benchmarks.clip import size_of
    from streamer.benchmarks.loop import LoopBench
    from streamer.benchmarks.loop import bench_loop as run

    run(load_config(config, overrides or []), LoopBench(frames, size_of(size), objects, json))


@bench_app.command("scene")
def bench_scene(
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", help="A scene; repeatable.", min=0, show_default="0 to 5")
    ] = None,
    frames: Annotated[int, typer.Option(help="Length of each.", min=1)] = 150,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the rendered scene in pixels.")] = "1280x720",
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE.json", help="The figures.")] = None,
) -> None:
    """Time the rendered scene itself, the stand-in camera of the other benchmarks, on one thread."""
    from streamer.benchmarks.clip import size_of
    from streamer.benchmarks.scene import SceneBench
    from streamer.benchmarks.scene import bench_scene as run

    run(SceneBench(seeds or range(6), frames, size_of(size), json))


@bench_app.command("live")
def bench_live(
    source: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A video; the rendered scene if left out.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How many seconds of it each row plays.", min=1)] = 60.0,
    fps: Annotated[int, typer.Option(help="Rate of the rendered scene in Hz.", min=1, max=240)] = 30,
    size: Annotated[str, typer.Option(metavar="WxH", help="Size of the rendered scene in pixels.")] = "1280x720",
    rows: Annotated[
        list[str] | None,
        typer.Option("--row", help="tiny, late, sam-b, baseline, 'baseline sam-b'; all if left out."),
    ] = None,
    encoder_delay: Annotated[
        float, typer.Option(help="Seconds by which the encoder is late in row `late`.", min=0)
    ] = 1.5,
    show: Annotated[
        bool, typer.Option("--show/--no-show", metavar="", help="Show a window, where there is a display.")
    ] = True,
    accuracy: Annotated[
        bool, typer.Option("--accuracy/--no-accuracy", help="Compare the masks with file mode's.")
    ] = True,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE.json", help="The figures.")] = None,
) -> None:
    """Play a clip at its own rate through the real live path, click now and then, and print how it kept up.

    vit_b and DPT-hybrid get random weights where they were never pulled: their speed does not depend on the values.
    """
    from streamer.benchmarks.clip import size_of
    from streamer.benchmarks.live import ROWS, LiveBench, bench_live

    bench = LiveBench(source, seconds, fps, size_of(size), rows or ROWS, show, encoder_delay, accuracy, json)
    raise typer.Exit(bench_live(bench))
