"""Callbacks in the core: what is due when, signed how, and how a planned fault spoils it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_ocbulk.emulator.callbacks import MAX_RETRIES, Attempt, Callback, sign, verify
from pytest_ocbulk.emulator.dialect import LIVE
from pytest_ocbulk.emulator.faults import Fault
from pytest_ocbulk.emulator.faults.kinds import (
    bad_signature,
    callback_late,
    early,
    never,
    out_of_order,
    twice,
)

from .asking import SIGNATURE_KEY, Asked, contacts

CSV = contacts("ann", "bob")
URL = "http://127.0.0.1:9/hook"
VECTORS = json.loads((Path(__file__).parents[2] / "fixtures/vectors/signature.json").read_text())


@pytest.fixture
def fake() -> Iterator[Asked]:
    with Asked(configuration={SIGNATURE_KEY: "secret"}) as asked:
        yield asked


def ended(fake: Asked, csv: bytes = CSV) -> str:
    """A job that has ended and has a callback."""
    job = fake.upload(csv, callback=URL)
    fake.status(job)
    return job


def due(fake: Asked) -> list[Callback]:
    fake.emulator.tick()
    return fake.emulator.take_callbacks()


def told(callback: Callback) -> tuple[str, str]:
    """The job and the status that a callback tells."""
    body = json.loads(callback.body)
    return str(body["id"]), str(body["status"])


# -- as it should be ----------------------------------------------------------------------------------------


def test_the_signature_is_the_published_one() -> None:
    valid = VECTORS["valid"]
    assert sign(valid["key"], valid["body"].encode()) == valid["signature"]
    assert verify(valid["key"], valid["body"].encode(), valid["signature"])


@pytest.mark.parametrize("wrong", VECTORS["invalid"], ids=lambda wrong: wrong["why"])
def test_a_wrong_signature_is_told_from_the_right_one(wrong: dict[str, str]) -> None:
    assert not verify(wrong["key"], wrong["body"].encode(), wrong["signature"])


def test_a_signature_of_strange_characters_is_wrong_and_no_error() -> None:
    assert not verify("key", b"", "sha256=\u00fc\udcff")


@pytest.mark.parametrize("end", ["COMPLETED", "ABORTED", "ERROR", "CANCELLED"])
def test_every_end_is_announced_with_the_status_body_signed_over_its_bytes(fake: Asked, end: str) -> None:
    fake.instance.plans.next_job(f"CREATED {end}")
    job = ended(fake)
    (callback,) = due(fake)
    assert json.loads(callback.body) == fake.get(f"/bulk/{job}/status")
    assert (callback.url, told(callback)) == (URL, (job, end))
    assert callback.headers == {
        "Content-Type": "application/json;charset=UTF-8",
        "Elements-Webhook-Signature": sign("secret", callback.body),
    }


def test_without_a_key_nothing_is_signed_and_without_a_url_nothing_is_announced() -> None:
    with Asked() as fake:
        ended(fake)
        (callback,) = due(fake)
        assert "Elements-Webhook-Signature" not in callback.headers
        fake.status(fake.upload(CSV))
        assert due(fake) == []
        assert not fake.emulator.has_callbacks


def test_a_callback_is_due_at_the_instant_of_the_end_and_a_lag_later(fake: Asked) -> None:
    fake.instance.dialect = LIVE.with_quirks({"callback_lag": 60.0})
    fake.instance.plans.next_job("CREATED 10s COMPLETE")
    fake.upload(CSV, callback=URL)
    fake.clock.advance("69s")
    assert due(fake) == []
    assert fake.emulator.next_due() == fake.emulator.next_callback() == 1.0
    fake.clock.advance("1s")
    assert len(due(fake)) == 1
    assert (fake.emulator.next_due(), fake.emulator.next_callback()) == (None, None)


def test_callbacks_come_in_the_order_of_their_instants(fake: Asked) -> None:
    for hold in ("20s", "10s"):
        fake.instance.plans.next_job(f"CREATED {hold} COMPLETE")
        fake.upload(CSV, callback=URL)
    fake.clock.advance("1m")
    assert [callback.job for callback in due(fake)] == ["1235", "1234"]


# -- tried again --------------------------------------------------------------------------------------------


def test_a_failed_callback_is_due_again_after_4_16_64_seconds_and_nine_times(fake: Asked) -> None:
    ended(fake)
    waits = []
    while found := due(fake):
        fake.emulator.callback_tried(found[0], "failed", status=500, failure="no")
        wait = fake.emulator.next_callback()
        if wait is not None:
            waits.append(wait)
            fake.clock.advance(wait - 0.5)
            assert due(fake) == []
            fake.clock.advance(0.5)
    assert waits == [4.0**retry for retry in range(1, MAX_RETRIES + 1)]
    attempts = list(fake.instance.callbacks)
    assert [each.number for each in attempts] == list(range(1, 11))
    assert [each.next_try is None for each in attempts] == [False] * 9 + [True]
    assert fake.instance.callbacks.undelivered == (attempts[-1],)


def test_the_waits_can_be_scaled(fake: Asked) -> None:
    ended(fake)
    fake.emulator.callback_tried(due(fake)[0], "failed", failure="no", retry_scale=0.25)
    assert fake.emulator.next_callback() == 1.0


@pytest.mark.parametrize("outcome", ["delivered", "refused", "internal"])
def test_what_is_settled_is_not_tried_again(fake: Asked, outcome: Any) -> None:
    ended(fake)
    attempt = fake.emulator.callback_tried(due(fake)[0], outcome, status=200)
    assert attempt is not None
    assert (attempt.outcome, attempt.next_try, fake.emulator.has_callbacks) == (outcome, None, False)


def test_an_attempt_tells_all_and_is_printed_in_a_line(fake: Asked) -> None:
    job = ended(fake)
    (callback,) = due(fake)
    fake.clock.advance("2s")
    fake.emulator.callback_tried(callback, "failed", status=503, failure="the receiver answered 503")
    (attempt,) = fake.instance.callbacks.of(job)
    now = fake.clock.now()
    expected = Attempt(
        at=now,
        job=job,
        url=URL,
        body=callback.body,
        headers=callback.headers,
        number=1,
        outcome="failed",
        status=503,
        failure="the receiver answered 503",
        next_try=now + 4,
    )
    assert attempt == expected
    assert str(attempt) == f"callback of job 1234 to {URL}: failed, the receiver answered 503"


def test_callbacks_of_an_instance_that_is_gone_are_gone(fake: Asked) -> None:
    ended(fake)
    (callback,) = due(fake)
    ended(fake)
    fake.emulator.close_instance(fake.instance)
    assert due(fake) == []
    assert fake.emulator.callback_tried(callback, "failed") is None
    assert not fake.emulator.has_callbacks


# -- gone wrong ---------------------------------------------------------------------------------------------


def test_a_late_callback_comes_later_while_the_status_is_in_time(fake: Asked) -> None:
    fake.instance.faults.on("callback", callback_late("30s"))
    job = ended(fake)
    assert (fake.status(job), due(fake), fake.emulator.next_callback()) == ("COMPLETED", [], 30.0)
    fake.clock.advance("30s")
    assert [told(each) for each in due(fake)] == [(job, "COMPLETED")]


def test_a_callback_that_comes_twice_is_the_same_both_times(fake: Asked) -> None:
    fake.instance.faults.on("callback", twice())
    ended(fake)
    first, second = due(fake)
    assert second == first._replace(number=first.number + 1)  # owed two times
    assert due(fake) == []


def test_a_callback_that_never_comes_is_written_down(fake: Asked) -> None:
    fake.instance.faults.on("callback", never())
    job = ended(fake)
    assert due(fake) == []
    (attempt,) = fake.instance.callbacks
    assert (attempt.job, attempt.outcome, attempt.fault) == (job, "dropped", "callback:never")
    assert json.loads(attempt.body)["id"] == job


@pytest.mark.parametrize("key", ["secret", ""])
def test_a_bad_signature_is_well_formed_and_wrong_with_or_without_a_key(key: str) -> None:
    with Asked(configuration={SIGNATURE_KEY: key}) as fake:
        fake.instance.faults.on("callback", bad_signature())
        ended(fake)
        (callback,) = due(fake)
        signature = callback.headers["Elements-Webhook-Signature"]
        assert len(signature) == len(sign("any", b""))
        assert not verify(key, callback.body, signature)


def test_an_early_callback_tells_an_end_that_the_status_shows_a_look_later(fake: Asked) -> None:
    fake.instance.faults.on("callback", early())
    fake.instance.plans.next_job("CREATED RUNNING 10s COMPLETE")
    job = fake.upload(CSV, callback=URL)
    fake.clock.advance("10s")
    (callback,) = due(fake)
    assert (told(callback), json.loads(callback.body)["recordsCount"]) == ((job, "COMPLETED"), 2)
    assert [fake.status(job) for _ in range(3)] == ["RUNNING", "COMPLETED", "COMPLETED"]
    assert (due(fake), len(fake.get("/contact"))) == ([], 2)


def test_an_early_callback_may_be_so_much_time_ahead(fake: Asked) -> None:
    fake.instance.faults.on("callback", early("5s"))
    job = ended(fake)
    assert [told(each) for each in due(fake)] == [(job, "COMPLETED")]
    assert [fake.status(job) for _ in range(2)] == ["CREATED", "CREATED"]
    assert fake.emulator.next_due() == 5.0
    fake.clock.advance("5s")
    assert fake.status(job) == "COMPLETED"
    assert due(fake) == []


def test_an_early_callback_of_a_failure_tells_the_error_and_the_status_does_not_yet(fake: Asked) -> None:
    fake.instance.faults.on("callback", early())
    fake.instance.plans.next_job("CREATED ABORTED", error="disk full")
    job = fake.upload(CSV, callback=URL)
    (callback,) = due(fake)
    assert json.loads(callback.body)["error"] == "disk full"
    first, second = (fake.get(f"/bulk/{job}/status") for _ in range(2))
    assert (first["status"], "error" in first) == ("CREATED", False)
    assert (second["status"], second["error"]) == ("ABORTED", "disk full")


def test_an_early_callback_of_a_job_that_is_finished_by_hand_comes_once(fake: Asked) -> None:
    fake.instance.faults.on("callback", early("1h"))
    job = ended(fake)
    fake.emulator.finish_job(fake.instance, fake.instance.jobs[job])
    assert (fake.status(job), len(due(fake))) == ("COMPLETED", 1)


def test_a_callback_out_of_order_follows_that_of_the_next_job(fake: Asked) -> None:
    fake.instance.faults.on("callback", out_of_order())
    ended(fake)
    assert (due(fake), fake.emulator.next_callback()) == ([], None)
    assert fake.emulator.has_callbacks
    ended(fake)
    ended(fake)
    assert [each.job for each in due(fake)] == ["1235", "1234", "1236"]


def test_two_callbacks_out_of_order_come_in_the_wrong_order(fake: Asked) -> None:
    fake.instance.faults.on("callback", out_of_order(), times=2)
    for _ in range(3):
        ended(fake)
    assert [each.job for each in due(fake)] == ["1236", "1235", "1234"]


def test_another_instances_callback_does_not_end_the_wait(fake: Asked) -> None:
    fake.instance.faults.on("callback", out_of_order())
    ended(fake)
    fake.instance = fake.another()
    ended(fake)
    assert [each.job for each in due(fake)] == ["1235"]


@pytest.mark.parametrize("fault", [callback_late(), twice(), early(), bad_signature(), out_of_order()])
def test_a_spoilt_callback_carries_its_fault(fake: Asked, fault: Fault) -> None:
    planned = fake.instance.faults.on("callback", fault, after_calls=1)
    ended(fake)
    ended(fake)
    first, *others = (each.fault for each in fake.emulator.runner.outbox)
    assert (first, set(others)) == ("", {str(planned)})


def test_a_job_without_a_callback_uses_no_fault_up(fake: Asked) -> None:
    planned = fake.instance.faults.on("callback", twice())
    fake.status(fake.upload(CSV))
    assert planned.describe() == "callback:twice never fired: no job with a callback ended"
