"""``streamer batch``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamer.cli.annotate import read_job
from streamer.cli.signatures import with_options_of
from streamer.errors import ConfigError

if TYPE_CHECKING:
    from streamer.batch.executor import Executor
    from streamer.batch.listing import Entry
    from streamer.batch.order import Order
    from streamer.batch.record import Record

MANY = "Many at once"

Jobs = Annotated[
    int | None,
    typer.Option(metavar="N", help="Videos at a time; by default one for two cores.", min=1, rich_help_panel=MANY),
]
Shard = Annotated[
    str,
    typer.Option(
        metavar="I/N", help="Only the I-th of N parts, as on job I of a cluster's array.", rich_help_panel=MANY
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume/--no-resume", metavar="", help="Leave what is finished, or do all anew.", rich_help_panel=MANY
    ),
]
Retries = Annotated[
    int, typer.Option(metavar="N", help="Attempts after a video's first has failed.", min=0, rich_help_panel=MANY)
]
TimeLimit = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="The longest that one video may take.", min=1, rich_help_panel=MANY),
]
Records = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Sidecars and summary; by default the folder of -o.", rich_help_panel=MANY),
]
Ray = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS|auto", help="Work on a Ray cluster (the extra `ray`).", rich_help_panel=MANY),
]
Cores = Annotated[
    int | None, typer.Option(metavar="N", help="Processor cores for each video.", min=1, rich_help_panel=MANY)
]
Split = Annotated[
    int,
    typer.Option(
        metavar="N", help="Long videos in N parts, done at once and joined again.", min=1, rich_help_panel=MANY
    ),
]
Gpus = Annotated[
    float, typer.Option(metavar="PART", help="GPUs for each video, with --ray: 0.5, 1.", min=0, rich_help_panel=MANY)
]


@with_options_of(read_job, without=["show"])
def batch(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Folders, patterns, videos; manifest.csv with a column path."),
    ],
    jobs: Jobs = None,
    shard: Shard = "1/1",
    resume: Resume = True,
    retries: Retries = 2,
    time_limit: TimeLimit = None,
    records: Records = None,
    ray: Ray = None,
    cores: Cores = None,
    gpus: Gpus = 0.0,
    split: Split = 1,
    **options: Any,
) -> None:
    """Annotate many videos, several at once. What is finished is left alone when the same command runs again.

    Each has a sidecar; what fails is tried again, then put aside with its reason. A manifest has a column `path` and,
    if wanted, `name` and one for any option of `annotate`.

        streamer batch videos/ -o out/
    """
    from streamer.batch.driver import Limits
    from streamer.batch.listing import entries_of
    from streamer.batch.run import Batch, run_batch
    from streamer.batch.sharing import CORES_EACH, cores_for, part_of, read_shard
    from streamer.sinks.targets import FOLDER
    from streamer.terminal.console import Terminal

    part, parts = read_shard(shard)
    output = options.get("output")
    folder = records or output or FOLDER
    if output is not None and output.suffix:
        raise ConfigError(f"{output} is one file, but a batch makes many: name a folder with -o.")
    entries = part_of(entries_of(sources, folder), part, parts)
    reader = _OrderReader(options)
    name = "summary.json" if parts == 1 else f"summary-{part}-of-{parts}.json"
    work = Batch(entries, reader.order, folder, folder / name, Limits(retries, time_limit), resume)
    if split > 1:
        from streamer.batch.splitting import Splitting

        whole = Splitting(entries, reader.order, folder, split, resume)
        work = replace(work, entries=whole.entries, order_of=whole.order, join=whole.join)

    def executor(count: int) -> Executor:
        if ray is not None:
            from streamer.batch.ray_actors import RayActors

            return RayActors(ray, jobs, cores or CORES_EACH, gpus, most=count)
        from streamer.batch.processes import Processes

        return Processes(*cores_for(jobs, cores, count))

    raise typer.Exit(run_batch(work, executor, Terminal()))


class _OrderReader:
    """Makes orders of entries: the options of the command, and over them those of a row of the manifest."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        app = typer.Typer(add_completion=False)
        app.command()(_said)
        self._row = typer.main.get_command(app)
        self._known = {name: each for each in self._row.params for name in (each.name, *each.opts) if name}

    def order(self, entry: Entry, record: Record, records: Path) -> Order:
        """The order of an entry.

        Raises:
            StreamerError: Something in it is said wrongly; the message says where.
        """
        from streamer.batch.order import Order, fingerprint, new_token

        said = self._options | self._said_in(entry)
        try:
            config, job = read_job([entry.source], **said)
            places = replace(job.targets, output=None) if "output" in entry.options else job.targets
            places.check(True, masks=config.segmenter is not None, depth=config.depth is not None)
        except Exception as error:
            if entry.place and hasattr(error, "exit_code"):
                raise type(error)(f"{entry.place}: {error}") from None
            raise
        told = replace(record, fingerprint=fingerprint(config, said, entry.source))
        return Order(config, job, told, records, new_token())

    def _said_in(self, entry: Entry) -> dict[str, Any]:
        """What the row says, read as ``annotate`` would read it."""
        if not entry.options:
            return {}
        words: list[str] = []
        for column, cell in entry.options.items():
            option = self._known.get(f"--{column.strip('-').replace('_', '-')}") or self._known.get(column)
            if option is None or option.param_type_name != "option":
                raise ConfigError(f"{entry.place}: there is no option {column!r}: name a column as `annotate` does.")
            words += _words(option, cell)
        try:
            said: dict[str, Any] = self._row.main([*words, "--", entry.source], "row", standalone_mode=False)
        except typer.BadParameter as error:
            raise ConfigError(f"{entry.place}: {error.format_message()}") from None
        return said


@with_options_of(read_job, without=["show"])
def _said(context: typer.Context, **options: Any) -> dict[str, Any]:
    """What was said, and not left at its default."""
    sources = {name: context.get_parameter_source(name) for name in options if name != "sources"}
    return {name: options[name] for name, source in sources.items() if source and source.name == "COMMANDLINE"}


def _words(option: Any, cell: str) -> list[str]:
    """A cell as it would stand on the command line; several values have semicolons between them."""
    name = max(option.opts, key=len)
    if option.is_flag:
        wanted = cell.lower() in ("1", "true", "yes", "x")
        return [name] if wanted else option.secondary_opts[:1]
    values = [part.strip() for part in cell.split(";")] if option.multiple else [cell]
    return [f"{name}={value}" for value in values if value]
