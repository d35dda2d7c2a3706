"""``--mask-level`` is one entry of the config."""

import pytest

from streamer.cli.options import read_config
from streamer.errors import ConfigError


def test_a_level_changes_what_a_click_means():
    assert read_config("tiny").tracking.mask_level == "auto"
    assert read_config("tiny", mask_level="part").tracking.mask_level == "part"
    assert read_config("tiny", ["tracking.mask_level=part"], mask_level="object").tracking.mask_level == "object"


def test_an_unknown_level_is_told_the_known_ones():
    with pytest.raises(ConfigError, match="'auto', 'part' or 'object'"):
        read_config("tiny", mask_level="half")
