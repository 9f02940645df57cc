"""What is this machine's own; which URLs are the fake's is tested with the door that asks, in test_intercept."""

from __future__ import annotations

import pytest

from pytest_ocbulk.addresses import is_loopback


@pytest.mark.parametrize("host", ["localhost", "fake.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_names_and_addresses_of_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0", "::", "10.0.0.1", "2130706433", "127.1", "localhost.example", "localhostile", "example.org", "",
    ],
)  # fmt: skip
def test_names_and_addresses_that_are_not_this_machines(host: str) -> None:
    assert not is_loopback(host)
