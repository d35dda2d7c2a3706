"""Addresses as they may be shown."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.sources.url import is_url, redact, short_name

words = st.text(string.ascii_letters + string.digits, min_size=6)
passwords = st.text(string.ascii_letters + string.digits + "@:/?#%&!$ ", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("url", "shown", "name"),
    [
        ("rtsp://10.0.0.5:554/live/1", "rtsp://10.0.0.5:554/live/1", "10.0.0.5-1"),
        ("rtsp://admin:pw@10.0.0.5/live", "rtsp://10.0.0.5/live", "10.0.0.5-live"),
        ("rtsp://admin:p@ss/w?rd@10.0.0.5/live", "rtsp://10.0.0.5/live", "10.0.0.5-live"),
        ("http://cam.lan/video.cgi?user=a&pwd=b#c", "http://cam.lan/video.cgi", "cam.lan-video"),
        ("rtsp://cam/user=admin_password=x_channel=1.sdp", "rtsp://cam/***", "cam-_"),
        ("http://cam/", "http://cam/", "cam"),
        ("HTTP://u:p@cam", "HTTP://cam", "cam"),
    ],
)
def test_credentials_are_left_out(url: str, shown: str, name: str) -> None:
    assert redact(url) == shown
    assert short_name(url) == name


@given(passwords, words)
def test_no_password_is_ever_shown(password: str, user: str) -> None:
    secret = f"<{password}>"
    for text in (redact(f"rtsp://{user}:{secret}@host/live"), short_name(f"rtsp://{user}:{secret}@host/live")):
        assert secret not in text
        assert user not in text
        assert "host" in text


@given(st.text(string.printable + "äß日", max_size=40))
def test_names_are_fit_for_files(rest: str) -> None:
    name = short_name(f"rtsp://{rest}")
    assert name
    assert not set(name) & set('/\\:*?"<>| ')


@pytest.mark.parametrize("text", ["rtsp://a/b", "http://a", "HTTPS://a", "udp://@:1234"])
def test_addresses_are_told_from_paths(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize("text", ["clip.mp4", "/a/b.mp4", "C:\\clips\\a.mp4", "0", "a/b://c", ""])
def test_paths_are_no_addresses(text: str) -> None:
    assert not is_url(text)
