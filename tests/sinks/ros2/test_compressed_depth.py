import struct

import cv2
import numpy as np
import pytest

from streamer.sinks.ros2.compressed_depth import encode_integers, encode_meters


def decode_meters(data: bytes) -> np.ndarray:
    """As compressed_depth_image_transport's subscriber does it."""
    kind, a, b = struct.unpack("<iff", data[:12])
    assert kind == 0
    inverse = cv2.imdecode(np.frombuffer(data[12:], np.uint8), cv2.IMREAD_UNCHANGED)
    assert inverse.dtype == np.uint16
    with np.errstate(divide="ignore"):
        return np.where(inverse == 0, np.nan, np.float32(a) / (inverse.astype(np.float32) - np.float32(b)))


def test_meters_come_back_within_half_a_step():
    depth_m = np.geomspace(0.2, 99, 64 * 48).reshape(48, 64).astype(np.float32)
    step_m = depth_m**2 / 10_100  # of 1/z in steps of 1/10100 per meter
    assert (np.abs(decode_meters(encode_meters(depth_m)) - depth_m) <= 0.51 * step_m + 1e-6).all()


@pytest.mark.parametrize("unknown", [0.0, 100.0, 1000.0, np.inf, np.nan])
def test_what_is_not_known_or_too_far_is_unknown(unknown):
    depth_m = np.full((4, 4), unknown, np.float32)
    assert np.isnan(decode_meters(encode_meters(depth_m))).all()


def test_what_is_too_near_is_the_nearest_that_fits():
    assert decode_meters(encode_meters(np.full((4, 4), 0.01, np.float32))) == pytest.approx(0.154, abs=1e-3)


def test_integers_come_back_as_they_are():
    values = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    data = encode_integers(values)
    assert len(data) > 12
    assert np.array_equal(cv2.imdecode(np.frombuffer(data[12:], np.uint8), cv2.IMREAD_UNCHANGED), values)
