"""What stands in for the outside: an address, secrets, a job stub, and time that sleeping moves."""

from __future__ import annotations

from typing import Any

from pytest_ocbulk.client import BulkClient

from ..patience import PATIENCE

BASE = "https://api.openconnectors.us2.ext.hana.ondemand.com/elements/api-v2"
TOKEN, SECRET, ORGANIZATION = "token+/=", "user-secret=", "0123456789abcdef0123456789abcdef"
STUB = '{"id": "42114492", "instanceId": 425904, "status": "CREATED"}'


class Time:
    """A clock that the client's sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def make(**options: Any) -> BulkClient:
    """A client of `BASE` with all three secrets, unless the options say otherwise."""
    secrets = {"element_token": TOKEN, "user_secret": SECRET, "organization_secret": ORGANIZATION}
    return BulkClient(**({"base_url": BASE} | secrets | options))


def at(base_url: str, time: Time | None = None) -> BulkClient:
    """A client of another address that does not really sleep."""
    time = time or Time()
    return make(
        base_url=base_url, organization_secret=None, clock=time.clock, sleep=time.sleep, timeout=PATIENCE
    )
