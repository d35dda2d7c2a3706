"""The command line itself: what each command calls itself, and how its end is told."""

import sys
from importlib import metadata

import pytest
import typer
from rich.text import Text

from streamer import __version__
from streamer.__main__ import main
from streamer.cli import app


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["streamer", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


@pytest.mark.parametrize("command", ["", "annotate", "batch", "live", "demo", "doctor", "models", "models pull"])
def test_every_command_explains_itself(monkeypatch, capsys, command):
    assert run(monkeypatch, *command.split(), "--help") == 0
    out = capsys.readouterr().out
    assert "Usage: streamer" in out
    assert max(map(len, out.splitlines())) <= 100


def test_it_knows_its_version(monkeypatch, capsys):
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"streamer {metadata.version('streamer')}\n" == f"streamer {__version__}\n"


def every_help(command):
    yield command.help
    yield from (parameter.help for parameter in command.params if getattr(parameter, "help", None))
    for each in getattr(command, "commands", {}).values():
        yield from every_help(each)


def test_no_word_of_the_help_is_taken_for_markup():
    texts = list(every_help(typer.main.get_command(app)))
    assert len(texts) > 80
    assert [text for text in texts if Text.from_markup(text).plain != text] == []


def test_an_option_that_does_not_exist_is_code_2(monkeypatch, capsys):
    assert run(monkeypatch, "annotate", "a.mp4", "--nonsense") == 2
    assert "--nonsense" in capsys.readouterr().err


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (ZeroDivisionError("by zero"), 2)])
def test_what_nobody_expected_is_one_line_too(monkeypatch, capsys, error, code):
    def fail():
        raise error

    monkeypatch.setattr("streamer.cli.doctor.examine", fail)
    assert run(monkeypatch, "doctor") == code
    err = capsys.readouterr().err
    assert ("ZeroDivisionError: by zero" in err) == (code == 2)
    assert len(err.splitlines()) == (code == 2)
