"""Where the view is served."""

from __future__ import annotations

import pytest

from streamer.errors import ServeError
from streamer.ui.browser.address import DEFAULT, Address, is_loopback


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (DEFAULT, "127.0.0.1", 8000),
        ("9000", "127.0.0.1", 9000),
        (":9000", "127.0.0.1", 9000),
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("robot.local:8000", "robot.local", 8000),
        ("[::1]:8000", "::1", 8000),
    ],
)
def test_an_address_is_understood(text, host, port):
    assert Address.parse(text) == Address(host, port)


@pytest.mark.parametrize("text", ["", "host", "host:", "host:99999", "::1:8000:", "http://host:80", "a b:80"])
def test_what_is_no_address_is_refused_with_an_example(text):
    with pytest.raises(ServeError, match="write HOST:PORT"):
        Address.parse(text)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_the_loopback_is_known(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "localhost.evil.com", "127.0.0.1.evil.com", ""])
def test_nothing_else_is_taken_for_the_loopback(host):
    assert not is_loopback(host)


def test_the_url_is_one_that_can_be_opened():
    assert Address("::1", 80).url == "http://[::1]:80/"
    assert Address("10.0.0.7", 8000).url == "http://10.0.0.7:8000/"
    assert "0.0.0.0" not in Address("0.0.0.0", 8000).url
