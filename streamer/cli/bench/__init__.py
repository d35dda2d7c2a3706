"""``streamer bench``: how fast and how good it is on this machine."""

import typer

from streamer.cli.bench import file, live, load, loop, memory, models, objects, scene, serve, soak

app = typer.Typer(help="How fast and how good it is on this machine.", no_args_is_help=True)
app.command("models")(models.bench_models)
app.command("file")(file.bench_file)
app.command("memory")(memory.bench_memory)
app.command("loop")(loop.bench_loop)
app.command("objects")(objects.bench_objects)
app.command("scene")(scene.bench_scene)
app.command("live")(live.bench_live)
app.command("load")(load.bench_load)
app.command("serve")(serve.bench_serve)
app.command("soak")(soak.bench_soak)
