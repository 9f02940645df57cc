"""Every answer of an instance says its time, so that who compares it with the times of jobs compares one clock."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from pytest_ocbulk.emulator.clock import EPOCH, ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.messages import BASE_PATH, Request, Response, http_date


def test_an_answer_and_a_refusal_say_the_time_of_their_instances_clock() -> None:
    clock = ManualClock()
    emulator = Emulator()
    instance = emulator.create_instance(built_in("marketing"), clock=clock)
    headers = {"Authorization": f"Element {instance.token}, User {instance.user_secret}"}
    for path, status in (("/objects", 200), ("/bulk/999/status", 404)):
        clock.advance("1h")
        answer = emulator.handle(Request.of("GET", BASE_PATH + path, headers))
        assert isinstance(answer, Response)
        assert (answer.status, answer.headers["Date"]) == (status, formatdate(clock.now(), usegmt=True))


@pytest.mark.parametrize("second", [0, int(EPOCH), 951_782_400, 4_102_444_799, 253_402_300_799])
def test_a_date_is_written_as_the_standard_library_does(second: int) -> None:
    assert http_date(second) == formatdate(second, usegmt=True)
