"""One status call in-process beside a bare `responses` callback that returns the same JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import requests
import responses

from .side_by_side import Row, at_most, in_turns

CALLS = 300


def per_call(call: Callable[[], object]) -> float:
    """Microseconds of one call."""
    started = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - started) / CALLS * 1e6


def rows(rounds: int) -> Iterator[Row]:
    """The one line."""
    from pytest_ocbulk.fakes import Fakes

    fakes = Fakes("test", {}, Path, lambda: None, lambda: None)  # type: ignore[arg-type,return-value]  # never asked
    fake = fakes.main(served=False)
    session = requests.Session()
    session.headers.update(fake.headers)
    csv = b"C_EmailAddress\na@example.com\n"
    job = session.post(fake.base_url + "/bulk/contact", files={"file": ("a.csv", csv)}).json()
    url = f"{fake.base_url}/bulk/{job['id']}/status"
    body = session.get(url).text

    def ours() -> float:
        fake.clock.advance("1s")  # so many calls at one instant are taken for an endless loop
        return per_call(lambda: session.get(url).json())

    def bare() -> float:
        with responses.RequestsMock() as mock:
            mock.add_callback("GET", url, lambda request: (200, {"Content-Type": "application/json"}, body))
            return per_call(lambda: session.get(url).json())

    found = in_turns({"ours": ours, "bare": bare}, rounds)
    fakes.close()
    yield at_most(
        "one status call in-process", "a bare responses callback", found["ours"], found["bare"], 1.3, "us"
    )
