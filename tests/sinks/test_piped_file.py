"""Where the messages of a Rerun recording end."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from streamer.sinks.piped_file import RrdMessages

payloads = st.lists(st.integers(0, 40), min_size=1, max_size=8)


@given(payloads, st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_messages_are_found_in_pieces_of_any_length(lengths, pieces):
    stream, ends = bytes(12), [12]
    for length in lengths:
        stream += struct.pack("<QQ", 2, length) + bytes(length)
        ends.append(len(stream))
    messages, seen = RrdMessages(), 0
    for piece in pieces:
        messages.feed(stream[seen : seen + piece])
        seen = min(seen + piece, len(stream))
        assert messages.whole == max([end for end in ends if end <= seen], default=0)
