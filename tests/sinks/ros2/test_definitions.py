import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from streamer.sinks.ros2.definitions import _DEFINITIONS, definition_of

JAZZY = get_typestore(Stores.ROS2_JAZZY)
COMMON = [name for name in _DEFINITIONS if name.split("/")[0] not in ("vision_msgs", "foxglove_msgs")]


@pytest.mark.parametrize("name", COMMON)
def test_it_is_what_jazzy_has(name):
    full = name.replace("/", "/msg/")
    own = get_typestore(Stores.EMPTY)
    own.register(get_types_from_msg(definition_of(full), full))
    assert own.hash_rihs01(full) == JAZZY.hash_rihs01(full)


@pytest.mark.parametrize("name", sorted(set(_DEFINITIONS) - set(COMMON)))
def test_it_brings_everything_that_it_is_made_of(name):
    full = name.replace("/", "/msg/")
    own = get_typestore(Stores.EMPTY)
    own.register(get_types_from_msg(definition_of(full), full))
    assert own.hash_rihs01(full)
    text = definition_of(full)
    assert text.count("MSG: ") == len(set(text.split("MSG: ")[1:]))
