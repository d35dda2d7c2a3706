"""Messages as JSON."""

import io
import json
from datetime import UTC, datetime

from streamer.terminal.console import Terminal
from streamer.terminal.json_log import JsonLog, json_console

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_each_line_is_an_object():
    to = io.StringIO()
    log = JsonLog("warning", to, lambda: NOON)
    log.write("the camera ")
    assert to.getvalue() == ""
    log.write('is "gone"\n\nand back\n')
    assert [json.loads(line) for line in to.getvalue().splitlines()] == [
        {"time": "2026-11-27T12:00:00.000+00:00", "level": "warning", "message": message}
        for message in ('the camera is "gone"', "and back")
    ]


def test_what_a_terminal_says_is_not_broken_into_several(capsys):
    terminal = Terminal(json_console(), json_console("error"))
    terminal.say("word " * 100)
    terminal.error("it is gone")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["level"], first["message"]) == ("info", ("word " * 100).strip())
    assert (second["level"], second["message"]) == ("error", "error: it is gone")
