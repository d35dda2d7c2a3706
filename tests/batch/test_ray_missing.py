"""Without Ray the command says how to get it."""

import sys

import pytest

from streamer.batch.ray_actors import RayActors
from streamer.errors import ConfigError


def test_without_ray_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'streamer\[ray\]'"):
        RayActors("auto", None, 1)
