"""What a test pays for its fake: set-up and tear-down of the fixtures, beside those of the peers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from .side_by_side import Row, at_most, in_turns, left_out, missing

TESTS = 200


def per_test(fixture: Callable[[], None], count: int = TESTS) -> float:
    """Microseconds of one set-up and tear-down."""
    started = time.perf_counter()
    for _ in range(count):
        fixture()
    return (time.perf_counter() - started) / count * 1e6


def in_process() -> None:
    """What the fixture `ocbulk` does around a test."""
    from pytest_ocbulk.fakes import Fakes

    fakes = Fakes("test", {}, Path, lambda: None, no_server)
    fakes.main(served=False)
    assert not fakes.close()


def no_server() -> NoReturn:
    raise AssertionError("the in-process fixture asks for no server")


def rows(rounds: int) -> Iterator[Row]:
    """All lines."""
    import responses

    def bare() -> None:
        with responses.RequestsMock() as mock:
            mock.assert_all_requests_are_fired = False

    what = "fixture `ocbulk`, set-up and tear-down"
    sides: dict[str, Callable[[], float]] = {
        "ours": lambda: per_test(in_process),
        "bare": lambda: per_test(bare),
    }
    if reason := missing("moto"):
        yield left_out(what, "moto's mock_aws", reason)
    else:
        from moto import mock_aws

        def mocked_aws() -> None:
            with mock_aws():
                pass

        sides["moto"] = lambda: per_test(mocked_aws, 20)
    found = in_turns(sides, rounds)
    if "moto" in found:
        yield at_most(what, "moto's mock_aws", found["ours"], found["moto"], 1 / 15, "us")
    yield at_most(what, "bare responses.RequestsMock", found["ours"], found["bare"], 4, "us")
    yield from server(rounds)


def server(rounds: int) -> Iterator[Row]:
    """The fixture with a socket."""
    from pytest_ocbulk.doors import ServerDoor
    from pytest_ocbulk.fakes import Fakes

    door = ServerDoor()

    def fresh() -> None:
        fakes = Fakes("test", {}, Path, lambda: None, lambda: door)
        fakes.main(served=True)
        assert not fakes.close()

    fresh()
    found = in_turns({"ours": lambda: per_test(fresh)}, rounds)["ours"]
    yield Row(
        "fixture `ocbulk_server`, fresh instance", "", f"{found:.3g} us", "", "", "under 100 us", found < 100
    )
    door.close()
    if reason := missing("pytest_httpserver"):
        yield left_out("server fixture: start, stop", "pytest-httpserver", reason)
        return
    times = in_turns({"ours": lambda: sum(ours_up_down()) * 1000, "stop": lambda: ours_up_down()[1] * 1000,
                      "theirs": lambda: theirs_up_down()[0] * 1000, "their stop": lambda: theirs_up_down()[1] * 1000,
                      "start": lambda: ours_up_down()[0] * 1000}, rounds)  # fmt: skip
    yield at_most("server fixture: start", "pytest-httpserver", times["start"], times["theirs"], 1, "ms")
    yield at_most(
        "server fixture: stop", "pytest-httpserver", times["stop"], times["their stop"], 1 / 20, "ms"
    )


def ours_up_down() -> tuple[float, float]:
    """Seconds to start and to stop our server."""
    from pytest_ocbulk.emulator.emulator import Emulator
    from pytest_ocbulk.server import Server

    running = Server(Emulator(background=True))
    began = time.perf_counter()
    running.start()
    started = time.perf_counter()
    running.stop()
    return started - began, time.perf_counter() - started


def theirs_up_down() -> tuple[float, float]:
    """Seconds to start and to stop pytest-httpserver."""
    from pytest_httpserver import HTTPServer

    running = HTTPServer(port=0)
    began = time.perf_counter()
    running.start()
    started = time.perf_counter()
    running.stop()
    return started - began, time.perf_counter() - started
