"""Faults in the core: what a call that is hit hears, what was done all the same, and which call is hit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from email.utils import formatdate
from statistics import mean, stdev

import pytest

from pytest_ocbulk.emulator.clock import LONGEST, ManualClock
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.faults import Fault, FaultPlan, operations
from pytest_ocbulk.emulator.faults.base import Hit
from pytest_ocbulk.emulator.faults.kinds import (
    KINDS,
    bad_signature,
    callback_late,
    early,
    empty,
    latency,
    malformed_json,
    rate_limit,
    reset,
    reset_upload,
    slow_upload,
    stall,
    stall_upload,
    status,
    truncate,
    twice,
    wrong_type,
)
from pytest_ocbulk.emulator.messages import Delivery, Disconnect, Reception, Request, Response
from pytest_ocbulk.emulator.routes import ROUTES
from pytest_ocbulk.emulator.timeline import Timeline

from .asking import Asked, body_of, contacts, form

CSV = contacts("ann", "bob")


@pytest.fixture
def fake() -> Iterator[Asked]:
    with Asked() as asked:
        yield asked


# -- what is heard ------------------------------------------------------------------------------------------


def test_an_injected_error_has_the_vendors_shape_and_the_request_id_of_its_header(fake: Asked) -> None:
    fake.instance.faults.on("objects", status(503))
    answer = fake.answer("GET", "/objects")
    assert (answer.status, json.loads(body_of(answer))) == (
        503,
        {"requestId": answer.headers["elements-request-id"], "message": "Service Unavailable"},
    )
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Content-Length"] == str(len(body_of(answer)))


def test_an_injected_error_says_what_it_is_told_to(fake: Asked) -> None:
    fake.instance.faults.on("objects", status(502, "Provider failed", provider_message="ORA-12541"))
    answer = json.loads(body_of(fake.answer("GET", "/objects")))
    assert (answer["message"], answer["providerMessage"]) == ("Provider failed", "ORA-12541")


def test_an_error_without_a_phrase_of_its_own_says_error(fake: Asked) -> None:
    fake.instance.faults.on("objects", status(599))
    assert json.loads(body_of(fake.answer("GET", "/objects")))["message"] == "Error"


@pytest.mark.parametrize(("given", "told"), [(2, "2"), ("1m30s", "90"), (0, "0")])
def test_a_rate_limit_says_in_seconds_when_to_come_again(fake: Asked, given: float | str, told: str) -> None:
    fake.instance.faults.on("status", rate_limit(given))
    answer = fake.answer("GET", "/bulk/1/status")
    assert (answer.status, answer.headers["Retry-After"]) == (429, told)


@pytest.mark.parametrize("passed", [0, 40.5, 86_400 * 200])
def test_a_rate_limit_says_as_a_date_when_to_come_again(fake: Asked, passed: float) -> None:
    fake.clock.advance(passed)
    fake.instance.faults.on("status", rate_limit("10s", form="date"))
    answer = fake.answer("GET", "/bulk/1/status")
    assert answer.headers["Retry-After"] == formatdate(math.ceil(fake.clock.now()) + 10, usegmt=True)


def test_a_late_answer_is_whole_and_says_how_late(fake: Asked) -> None:
    names = fake.get("/objects")
    fake.instance.faults.on("objects", latency("3s"))
    answer = fake.answer("GET", "/objects")
    assert (json.loads(body_of(answer)), answer.delivery) == (names, Delivery(delay=3.0))


def drawn(fault: Fault, count: int = 500) -> list[float]:
    """How late a fault makes so many answers."""
    answers = [fault.answer(Hit(Response(200, {}), 0.0, number)) for number in range(count)]
    return [answer.delivery.delay for answer in answers if isinstance(answer, Response)]


def test_a_latency_between_two_times_is_spread_evenly_and_the_same_in_every_run() -> None:
    delays = drawn(latency(between=("1s", "3s"), seed=7))
    assert delays == drawn(latency(between=(1, 3), seed=7))
    assert delays != drawn(latency(between=(1, 3), seed=8))
    assert 1 <= min(delays) < 1.05
    assert 2.95 < max(delays) <= 3
    assert mean(delays) == pytest.approx(2, abs=0.1)


def test_a_log_normal_latency_has_its_median_and_spread() -> None:
    logs = [math.log(delay) for delay in drawn(latency(median="2s", sigma=0.5, seed=1), 2000)]
    assert mean(logs) == pytest.approx(math.log(2), abs=0.05)
    assert stdev(logs) == pytest.approx(0.5, abs=0.05)


def test_the_widest_latency_is_a_duration_that_a_clock_can_take() -> None:
    widest = max(drawn(latency(median="36525d", sigma=10, seed=1), 2000))
    ManualClock().advance(widest)
    assert widest == LONGEST


@pytest.mark.parametrize("path", ["/objects", "/bulk/jobs", "/contact", "/ping", "/objects/contact/metadata"])
def test_malformed_json_is_no_json_under_the_right_status_and_headers(fake: Asked, path: str) -> None:
    operation = {"/contact": "records", "/objects/contact/metadata": "metadata"}.get(
        path, path.rpartition("/")[2]
    )
    fake.instance.faults.on(operation, malformed_json())
    answer = fake.answer("GET", path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.headers["Content-Length"] == str(len(body_of(answer)))
    with pytest.raises(ValueError, match="line 1 column"):
        json.loads(body_of(answer))


@pytest.mark.parametrize("body", [b"12", b"{}", b"[]", b'""', b"not json", b""])
def test_malformed_json_is_never_valid_by_chance(body: bytes) -> None:
    answer = malformed_json().answer(Hit(Response(200, {"Content-Type": "application/json"}, body), 0.0, 0))
    assert isinstance(answer, Response)
    with pytest.raises(ValueError, match="line 1 column"):
        json.loads(body_of(answer))


def test_an_object_of_the_wrong_type_comes_in_an_array(fake: Asked) -> None:
    job = fake.upload(CSV)
    right = fake.get(f"/bulk/{job}/status")
    fake.instance.faults.on("status", wrong_type())
    assert fake.get(f"/bulk/{job}/status") == [right]


def test_an_array_of_the_wrong_type_comes_as_its_first_element(fake: Asked) -> None:
    fake.instance.faults.on("records", wrong_type(times=2))
    assert fake.get("/contact") == {}
    fake.upload(CSV)
    assert fake.get("/contact")["C_FirstName"] == "ann"


def test_an_empty_answer_has_its_status_and_no_body(fake: Asked) -> None:
    fake.instance.faults.on("objects", empty())
    answer = fake.answer("GET", "/objects")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")


def test_a_head_request_has_no_body_whatever_hits_it(fake: Asked) -> None:
    fake.instance.faults.on("objects", status(503))
    answer = fake.answer("HEAD", "/objects")
    assert (answer.status, answer.body) == (503, b"")


@pytest.mark.parametrize(
    ("fault", "delivery"),
    [
        (truncate(10), Delivery(truncate_after=10)),
        (truncate(10_000), Delivery(truncate_after=29)),
        (stall(10, "2s"), Delivery(stall_after=10, stall=2.0)),
        (stall(10_000, 1), Delivery(stall_after=29, stall=1.0)),
        (stall(), Delivery(stall_after=0, stall=30.0)),
    ],
)
def test_an_accident_on_the_way_is_told_to_the_door_and_always_happens(
    fault: Fault, delivery: Delivery
) -> None:
    answer = fault.answer(Hit(Response(200, {}, b"x" * 30), 0.0, 0))
    assert isinstance(answer, Response)
    assert (answer.delivery, answer.body) == (delivery, b"x" * 30)


@pytest.mark.parametrize("fault", [reset(), status(500), malformed_json(), wrong_type(), empty()])
def test_a_body_that_nobody_will_read_is_closed(fault: Fault) -> None:
    closed = []

    def rows() -> Iterator[bytes]:
        try:
            yield b"1"
            yield b"2"
        finally:
            closed.append(True)

    body = rows()
    next(body)
    fault.answer(Hit(Response(200, {}, body), 0.0, 0))
    assert closed == [True]


# -- before and after the work ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [status(503), rate_limit(), reset(), empty(), malformed_json(), wrong_type()]
)
def test_before_the_work_nothing_is_done(fake: Asked, fault: Fault) -> None:
    fake.instance.faults.on("upload", fault, phase="before")
    fake.try_upload(CSV)
    assert (fake.instance.jobs, fake.get("/contact")) == ({}, [])


@pytest.mark.parametrize(
    "fault", [status(503), rate_limit(), reset(), empty(), malformed_json(), wrong_type()]
)
def test_after_the_work_all_is_done_and_only_the_answer_is_lost(fake: Asked, fault: Fault) -> None:
    fake.instance.faults.on("upload", fault, phase="after")
    fake.try_upload(CSV)
    (job,) = fake.instance.jobs
    assert fake.status(job) == "COMPLETED"
    assert len(fake.get("/contact")) == 2


def test_a_status_call_that_is_lost_before_it_arrives_is_no_look(fake: Asked) -> None:
    fake.instance.plans.next_job("CREATED x2 COMPLETE")
    job = fake.upload(CSV)
    fake.instance.faults.on("status", reset(), phase="before", times=5)
    assert [fake.ask("GET", f"/bulk/{job}/status") for _ in range(5)] == [Disconnect()] * 5
    assert [fake.status(job) for _ in range(3)] == ["CREATED", "CREATED", "COMPLETED"]


def test_a_status_answer_that_is_lost_was_a_look(fake: Asked) -> None:
    fake.instance.plans.next_job("CREATED x2 COMPLETE")
    job = fake.upload(CSV)
    fake.instance.faults.on("status", reset(), phase="after", times=2)
    assert [fake.ask("GET", f"/bulk/{job}/status") for _ in range(2)] == [Disconnect()] * 2
    assert fake.status(job) == "COMPLETED"


def test_a_refusal_of_the_service_is_replaced_as_well(fake: Asked) -> None:
    fake.instance.faults.on("status", status(500), phase="after")
    assert fake.answer("GET", "/bulk/99/status").status == 500
    assert fake.answer("GET", "/bulk/99/status").status == 404


# -- which call is hit --------------------------------------------------------------------------------------


def statuses(fake: Asked, count: int, path: str = "/objects") -> list[int]:
    return [fake.answer("GET", path).status for _ in range(count)]


def test_faults_of_an_operation_come_one_after_the_other(fake: Asked) -> None:
    fake.instance.faults.on("objects", status(503), times=2)
    fake.instance.faults.on("objects", status(500), after_calls=1)
    fake.instance.faults.on("ping", status(502))
    assert statuses(fake, 6) == [503, 503, 200, 500, 200, 200]
    assert statuses(fake, 2, "/ping") == [502, 200]


def test_how_often_and_after_how_many_calls_may_be_said_by_the_fault_itself(fake: Asked) -> None:
    fake.instance.faults.on("objects", status(503, times=2, after_calls=1))
    assert statuses(fake, 5) == [200, 503, 503, 200, 200]


def test_a_fault_for_ever_lasts_until_it_is_cleared(fake: Asked) -> None:
    fake.instance.faults.on("objects", status(503), times="forever")
    assert statuses(fake, 4) == [503] * 4
    fake.instance.faults.clear("objects")
    assert statuses(fake, 1) == [200]


def test_faults_belong_to_one_instance(fake: Asked) -> None:
    fake.instance.faults.on("objects", status(503))
    fake.instance, first = fake.another(), fake.instance
    assert statuses(fake, 2) == [200, 200]
    assert [str(each) for each in first.faults.pending] == ["objects:503"]


def test_a_call_without_credentials_uses_no_fault_up(fake: Asked) -> None:
    fake.instance.faults.on("objects", status(503))
    refused = fake.emulator.handle(Request.of("GET", "/elements/api-v2/objects"))
    assert isinstance(refused, Response)
    assert (refused.status, statuses(fake, 2)) == (401, [503, 200])


def test_the_journal_marks_what_was_injected(fake: Asked) -> None:
    fake.instance.faults.on("objects", status(503))
    fake.instance.faults.on("upload", reset(), phase="after")
    statuses(fake, 2)
    fake.try_upload(CSV)
    assert [(each.operation, each.status, each.fault, each.job) for each in fake.instance.journal] == [
        ("objects", 503, "objects:503", ""),
        ("objects", 200, "", ""),
        ("upload", 0, "upload:reset:after", "1234"),
    ]


def test_every_operation_of_an_instance_can_be_hit_and_no_other() -> None:
    assert operations() == {route.operation for route in ROUTES if route.scope == "instance"} | {"callback"}


# -- looking back -------------------------------------------------------------------------------------------


def test_two_faults_are_the_same_when_their_kind_and_all_their_values_are() -> None:
    assert reset(times=2) == reset(times=2)
    assert reset() != reset(times=2)
    kinds: list[Fault] = [reset(), empty(), stall(1, "2s"), stall_upload(1, "2s")]
    assert [[one == other for other in kinds] for one in kinds] == [
        [one is other for other in kinds] for one in kinds
    ]
    assert repr(reset(times=2)) == "Reset(times=2, after_calls=0)"


def test_what_has_not_happened_is_told_with_the_reason(fake: Asked) -> None:
    plan = fake.instance.faults
    plan.on("upload", reset(), phase="after")
    plan.on("objects", status(503), times=3)
    plan.on("ping", status(503), after_calls=4)
    plan.on("errors", status(503), times="forever")
    statuses(fake, 1)
    statuses(fake, 1, "/ping")
    fake.answer("GET", "/bulk/1/errors")
    assert [each.describe() for each in plan.pending] == [
        "upload:reset:after never fired: no upload call came for it",
        "objects:503:x3 fired 1 of 3 times",
        "ping:503:after_calls=4 never fired: it waits for 4 calls to go well, 1 call came",
    ]
    assert [str(each) for each in plan.fired] == ["objects:503:x3", "errors:503:forever"]


def test_a_plan_that_is_cleared_is_as_new(fake: Asked) -> None:
    plan = fake.instance.faults
    plan.on("objects", status(503), times=2)
    plan.on("ping", status(503))
    statuses(fake, 1)
    plan.clear("objects")
    assert ([str(each) for each in plan], plan.fired) == (["ping:503"], ())
    plan.clear()
    assert (list(plan), plan.pending, statuses(fake, 1, "/ping")) == ([], (), [200])


# -- the body of a request ----------------------------------------------------------------------------------


def head(fake: Asked, path: str = "/bulk/contact", length: int | None = 1000) -> Request:
    """The head of an upload."""
    announced = {} if length is None else {"Content-Length": str(length)}
    return fake.request("POST", path, headers=announced)


@pytest.mark.parametrize(
    ("fault", "reception"),
    [
        (slow_upload(2048), Reception(bytes_per_second=2048)),
        (stall_upload(100, "2s"), Reception(stall_after=100, stall=2.0)),
        (stall_upload(5000, "2s"), Reception(stall_after=1000, stall=2.0)),
        (reset_upload(100), Reception(reset_after=100)),
        (reset_upload(5000), Reception(reset_after=1000)),
    ],
)
def test_a_body_is_received_as_planned_and_always_harmed(
    fake: Asked, fault: Fault, reception: Reception
) -> None:
    fake.instance.faults.on("upload", fault)
    assert fake.emulator.receive(head(fake)) == reception
    assert fake.emulator.receive(head(fake)) == Reception()


def test_of_a_body_without_announced_length_the_planned_place_holds(fake: Asked) -> None:
    fake.instance.faults.on("upload", stall_upload(5000, 1))
    assert fake.emulator.receive(head(fake, length=None)) == Reception(stall_after=5000, stall=1.0)


def test_the_limit_of_uploads_holds_beside_a_fault(fake: Asked) -> None:
    fake.emulator.max_upload = 10
    fake.instance.faults.on("upload", slow_upload(5))
    assert fake.emulator.receive(head(fake)) == Reception(limit=10, bytes_per_second=5)
    assert fake.emulator.receive(head(fake)) == Reception(limit=10)


def upload_in_two_steps(fake: Asked) -> Response | Disconnect:
    """As a door with a socket does it: the head first, then the call with its body."""
    body, headers = form(CSV)
    request = fake.request("POST", "/bulk/contact", body, headers)
    fake.emulator.receive(request)
    return fake.emulator.handle(request)


def test_a_call_is_hit_once_by_the_fault_that_hit_its_body(fake: Asked) -> None:
    fake.instance.faults.on("upload", slow_upload(1000))
    fake.instance.faults.on("upload", status(503))
    answers = [upload_in_two_steps(fake) for _ in range(3)]
    assert [each.status for each in answers if isinstance(each, Response)] == [200, 503, 200]
    assert [each.fault for each in fake.instance.journal] == ["upload:slow_upload:1000", "upload:503", ""]


def test_a_call_that_is_to_go_well_first_is_counted_once(fake: Asked) -> None:
    fake.instance.faults.on("upload", status(503), after_calls=2)
    answers = [upload_in_two_steps(fake) for _ in range(4)]
    assert [each.status for each in answers if isinstance(each, Response)] == [200, 200, 503, 200]


def test_a_body_that_breaks_off_is_in_the_journal_though_no_call_came(fake: Asked) -> None:
    fake.instance.faults.on("upload", reset_upload(10))
    fake.emulator.receive(head(fake))
    assert [(each.operation, each.status, each.fault) for each in fake.instance.journal] == [
        ("upload", 0, "upload:reset_upload:10")
    ]
    assert fake.instance.jobs == {}


def test_a_body_of_unknown_length_that_was_to_break_off_later_is_lost_all_the_same(fake: Asked) -> None:
    fake.instance.faults.on("upload", reset_upload(1_000_000))
    assert upload_in_two_steps(fake) == Disconnect()
    assert fake.instance.jobs == {}


@pytest.mark.parametrize(
    "request_head",
    [
        Request.of("POST", "/elements/api-v2/bulk/contact"),
        Request.of("POST", "/nowhere"),
        Request.of("DELETE", "/elements/api-v2/bulk/contact"),
    ],
)
def test_a_head_that_will_be_refused_uses_no_fault_up(fake: Asked, request_head: Request) -> None:
    fake.instance.faults.on("upload", slow_upload(1))
    assert fake.emulator.receive(request_head) == Reception()
    assert fake.instance.faults.fired == ()


# -- what is refused, letter by letter ----------------------------------------------------------------------

KNOWN_OPERATIONS = ", ".join(sorted(operations()))


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda plan: plan.on("uplaod", reset()), "unknown operation 'uplaod'; did you mean 'upload'?"),
        (lambda plan: plan.on("zzz", reset()), f"unknown operation 'zzz'; known are {KNOWN_OPERATIONS}"),
        (lambda plan: plan.clear("state"), "unknown operation 'state'; did you mean 'status'?"),
        (lambda plan: plan.on("upload", reset), "a fault is a value: write reset(...), with its parentheses"),
        (
            lambda plan: plan.on("upload", "reset:after"),
            "a fault is a value like reset(); in one line of text: faults.add('upload:reset:after')",
        ),
        (lambda plan: plan.on("upload", 503), "a fault is a value like reset() or status(503), got 503"),
        (
            lambda plan: plan.on("upload", reset(), phase="befor"),
            "phase is 'before' or 'after', got 'befor'; did you mean 'before'?",
        ),
        (
            lambda plan: plan.on("upload", truncate(1), phase="before"),
            "truncate() harms nothing but the way, so the work is always done; leave phase='before' out",
        ),
        (
            lambda plan: plan.on("upload", reset_upload(1), phase="after"),
            "reset_upload() keeps the call from arriving, so its work is never done; leave phase='after' out",
        ),
        (
            lambda plan: plan.on("upload", twice()),
            "twice() is a fault of callbacks; plan it on 'callback', not on 'upload'",
        ),
        (
            lambda plan: plan.on("callback", reset()),
            (
                "reset() is a fault of calls; callbacks know bad_signature(), callback_late(), early(), never(),"
                " out_of_order(), twice()"
            ),
        ),
        (
            lambda plan: plan.on("status", slow_upload(1)),
            "slow_upload() breaks the body of a request, and status calls have none",
        ),
        (
            lambda plan: (plan.add("upload:503:forever"), plan.on("upload", reset())),
            (
                "upload:reset would never fire: upload:503:forever comes first;"
                " call faults.clear('upload') before it"
            ),
        ),
        (
            lambda _: status(200),
            (
                "status: code is an error from 400 to 599, got 200; for a 200 gone wrong use empty,"
                " malformed_json or wrong_type"
            ),
        ),
        (lambda _: status(503, times=0), "status: times is a number from 1 or 'forever', got 0"),
        (lambda _: reset(after_calls=-1), "reset: after_calls is a number from 0, got -1"),
        (lambda _: truncate(-1), "truncate: after is a whole number from 0, got -1"),
        (lambda _: slow_upload(0), "slow_upload: bytes_per_second is a whole number from 1, got 0"),
        (lambda _: rate_limit(1.5), "rate_limit: Retry-After counts whole seconds, got 1.5"),
        (
            lambda _: latency(),
            "latency: give one of a duration, between=('1s', '3s') and median='1s', got none",
        ),
        (
            lambda _: latency("1s", median="1s", seed=1),
            "latency: give one of a duration, between=('1s', '3s') and median='1s', got duration and median",
        ),
        *(
            (
                lambda _, sigma=sigma: latency(median="1s", sigma=sigma, seed=1),
                f"latency: sigma is a number from 0 to 10, got {sigma!r}",
            )
            for sigma in (math.nan, math.inf, -0.5, 11, None)
        ),
        (
            lambda _: latency(between=("1s", "3s")),
            (
                "latency: between= draws a time for each call; give it seed=, a whole number, so that a run can be"
                " repeated"
            ),
        ),
        (
            lambda _: latency(between=("3s", "1s"), seed=1),
            "latency: between goes from the shorter to the longer time, got ('3s', '1s')",
        ),
        (lambda _: latency("3"), "'3' is not a duration; write it like '250ms', '2s', '10m' or '1h30m'"),
        (lambda _: early("forever"), "early: hold is looks or a time, like 'x1' or '5s', got 'forever'"),
        (lambda _: early(""), "early: hold is looks or a time, like 'x1' or '5s', got ''"),
        (lambda _: callback_late(-1), "a duration cannot be negative, got -1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_could_never_happen_is_refused_where_it_is_written(
    wrong: Callable[[FaultPlan], object], text: str
) -> None:
    with pytest.raises(OcBulkError) as error:
        wrong(FaultPlan())
    assert str(error.value) == text


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.needs_socket])
def test_a_door_without_a_socket_refuses_what_needs_one(kind: type[Fault]) -> None:
    arguments = {"truncate": [1], "slow_upload": [1], "reset_upload": [1]}.get(kind.kind, [])
    with pytest.raises(OcBulkError) as error:
        FaultPlan(socket=False).on("upload", kind(*arguments))
    assert str(error.value) == (
        f"{kind.kind}() needs a socket: use the ocbulk_server fixture (in this process no connection can break)"
    )


def test_a_door_without_a_socket_takes_all_that_needs_none() -> None:
    plan = FaultPlan(socket=False)
    for fault in (status(503), rate_limit(), latency("1s"), malformed_json(), wrong_type(), empty()):
        plan.on("upload", fault)
    plan.on("callback", bad_signature())
    assert len(list(plan)) == 7


def test_a_job_shows_its_old_status_while_its_end_is_announced() -> None:
    assert early().detour("RUNNING", "COMPLETED") == Timeline.parse("RUNNING x1 COMPLETED")
    assert early("5s").detour("CREATED", "ABORTED") == Timeline.parse("CREATED 5s ABORTED")


def test_a_plan_shows_its_faults_and_how_often_they_fired() -> None:
    plan = FaultPlan()
    assert repr(plan) == "<FaultPlan: nothing planned>"
    plan.add("upload:reset:after")
    plan.add("status:503:x2")
    plan.take("status")
    assert repr(plan) == "<FaultPlan: upload:reset:after fired 0 of 1, status:503:x2 fired 1 of 2>"
