"""``streamer bench``: how fast and how good it is on this machine."""

import typer

from streamer.cli.bench import (
    batch,
    cameras,
    file,
    live,
    load,
    loop,
    memory,
    models,
    objects,
    scene,
    serve,
    soak,
    start,
)

app = typer.Typer(help="How fast and how good it is on this machine.", no_args_is_help=True)
app.command("models")(models.bench_models)
app.command("file")(file.bench_file)
app.command("batch")(batch.bench_batch)
app.command("memory")(memory.bench_memory)
app.command("loop")(loop.bench_loop)
app.command("objects")(objects.bench_objects)
app.command("scene")(scene.bench_scene)
app.command("live")(live.bench_live)
app.command("load")(load.bench_load)
app.command("cameras")(cameras.bench_cameras)
app.command("serve")(serve.bench_serve)
app.command("soak")(soak.bench_soak)
app.command("start")(start.bench_start)
