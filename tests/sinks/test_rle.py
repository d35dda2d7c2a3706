"""Masks as COCO's run-length encoding, read back by COCO's own library."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from streamer.sinks.rle import rle_of

MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24))


@settings(deadline=None)
@given(mask=MASKS, step=st.integers(1, 2))
def test_a_mask_comes_back_from_its_encoding_in_json_wherever_it_lies_in_memory(mask, step):
    part = mask[::step, ::step]
    told = json.loads(json.dumps(rle_of(part)))
    assert told["size"] == list(part.shape)
    assert np.array_equal(coco.decode(told).astype(bool), part)
