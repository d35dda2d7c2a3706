"""What the README promises."""

import re
from pathlib import Path

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text()


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (PROJECT / target).exists(), target


def test_every_preset_is_described():
    for preset in (PROJECT / "configs").glob("*.yaml"):
        assert f"`{preset.stem}`" in README, preset.stem
