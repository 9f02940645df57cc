"""A fault as one line of text: read, printed, read again; what cannot be read is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.faults import Fault, FaultPlan, operations
from pytest_ocbulk.emulator.faults.base import Phase
from pytest_ocbulk.emulator.faults.kinds import (
    KINDS,
    callback_late,
    early,
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
)
from pytest_ocbulk.emulator.faults.text import parse, spelled

LINES: dict[str, tuple[str, Fault, Phase | None]] = {
    "upload:reset:after": ("upload", reset(), "after"),
    "upload:reset": ("upload", reset(), None),
    "status:503:x2": ("status", status(503, times=2), None),
    "status:503:forever": ("status", status(503, times="forever"), None),
    "status:503:after_calls=3": ("status", status(503, after_calls=3), None),
    "upload:503:after:x2:after_calls=1": ("upload", status(503, times=2, after_calls=1), "after"),
    "query:502:message=Down%3A 100%25:provider_message=ORA-1": (
        "query",
        status(502, "Down: 100%", provider_message="ORA-1"),
        None,
    ),
    "errors:rate_limit": ("errors", rate_limit(), None),
    "errors:rate_limit:10s:form=date": ("errors", rate_limit(10, form="date"), None),
    "objects:latency:1m30s": ("objects", latency(90), None),
    "objects:latency:between=500ms-3s:seed=7": ("objects", latency(between=(0.5, 3), seed=7), None),
    "objects:latency:median=1s:sigma=0.25:seed=-1": (
        "objects",
        latency(median="1s", sigma=0.25, seed=-1),
        None,
    ),
    "download:truncate:100": ("download", truncate(100), None),
    "download:stall:100:2s": ("download", stall(100, "2s"), None),
    "download:stall:seconds=2s": ("download", stall(seconds="2s"), None),
    "records:malformed_json:before": ("records", malformed_json(), "before"),
    "upload:slow_upload:2048": ("upload", slow_upload(2048), None),
    "upload:stall_upload:100:2s:x2": ("upload", stall_upload(100, 2, times=2), None),
    "upload:reset_upload:100": ("upload", reset_upload(100), None),
    "callback:callback_late:30s": ("callback", callback_late(30), None),
    "callback:twice:forever": ("callback", twice(times="forever"), None),
    "callback:early:hold=5s": ("callback", early("5s"), None),
    "callback:early": ("callback", early(), None),
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_the_fault_that_a_constructor_makes(line: str) -> None:
    assert tuple(parse(line, operations())) == LINES[line]


@pytest.mark.parametrize("line", LINES)
def test_a_fault_is_printed_as_that_line(line: str) -> None:
    assert spelled(*LINES[line]) == line


@pytest.mark.parametrize(
    ("loose", "printed"),
    [
        ("status:status:503", "status:503"),
        ("status:status:code=503", "status:503"),
        ("upload:x2:503:after", None),
        ("upload:reset:x2:after", "upload:reset:after:x2"),
        ("upload:reset:times=2", "upload:reset:x2"),
        ("upload:reset:x1", "upload:reset"),
        ("upload:reset:before", "upload:reset"),
        ("upload:malformed_json:after", "upload:malformed_json"),
        ("download:stall:seconds=2s:after=100", "download:stall:100:2s"),
        ("download:stall:2000ms", None),
        ("objects:latency:90s", "objects:latency:1m30s"),
        ("errors:rate_limit:2s", "errors:rate_limit"),
    ],
)
def test_a_line_may_be_written_otherwise_and_is_printed_in_one_way(loose: str, printed: str | None) -> None:
    if printed is None:
        with pytest.raises(OcBulkError):
            FaultPlan().add(loose)
    else:
        assert str(FaultPlan().add(loose)) == printed


def test_every_kind_can_be_written() -> None:
    needs = {"status": ":503", "latency": ":1s", "truncate": ":1", "slow_upload": ":1", "reset_upload": ":1"}
    for kind in KINDS.values():
        operation = "callback" if kind.aim == "callback" else "upload"
        assert isinstance(
            parse(f"{operation}:{kind.kind}{needs.get(kind.kind, '')}", operations()).fault, kind
        )


durations = st.floats(0, 1e7).map(lambda seconds: round(seconds, 6))
places = st.integers(0, 10**12)
texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]))
more = {"times": st.integers(1, 10**6) | st.just("forever"), "after_calls": st.integers(0, 10**6)}
seeds = st.integers(-(10**9), 10**9)
faults = st.one_of(
    st.builds(status, st.integers(400, 599), texts, texts, **more),
    st.builds(rate_limit, st.integers(0, 10**6), form=st.sampled_from(["seconds", "date"]), **more),
    st.builds(latency, durations, **more),
    st.builds(latency, between=st.tuples(durations, durations).map(sorted).map(tuple), seed=seeds, **more),
    st.builds(latency, median=durations, sigma=st.floats(0, 10), seed=seeds, **more),
    st.builds(stall, places, durations, **more),
    st.builds(stall_upload, places, durations, **more),
    *(st.builds(kind, places, **more) for kind in (truncate, reset_upload)),
    st.builds(slow_upload, st.integers(1, 10**12), **more),
    st.builds(callback_late, durations, **more),
    st.builds(early, st.integers(1, 99).map(lambda looks: f"x{looks}"), **more),
    *(st.builds(KINDS[kind], **more) for kind in ("reset", "empty", "wrong_type", "twice", "never")),
)


@given(faults, st.data())
def test_what_is_printed_is_read_back_as_the_same_fault(fault: Fault, data: st.DataObject) -> None:
    operation = "callback" if fault.aim == "callback" else "upload"
    phase = data.draw(st.sampled_from(fault.phases))
    line = spelled(operation, fault, phase)
    written = parse(line, operations())
    assert (written.operation, written.fault, written.phase or fault.phases[0]) == (operation, fault, phase)


@given(st.text())
def test_any_text_is_a_fault_or_an_error_that_quotes_it(text: str) -> None:
    try:
        printed = str(FaultPlan().add(text))
    except OcBulkError as error:
        printed = str(error)
        assert printed.startswith(f"fault {text!r}: ")  # most texts are errors, not all
    else:
        assert str(FaultPlan().add(printed)) == printed


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "write OPERATION:KIND and what more there is to say, like 'upload:reset:after' or 'status:503:x2'"),
        (
            "upload",
            "write OPERATION:KIND and what more there is to say, like 'upload:reset:after' or 'status:503:x2'",
        ),
        ("uplaod:reset", "unknown operation 'uplaod'; did you mean 'upload'?"),
        ("upload:rest", "unknown kind 'rest'; did you mean 'reset'?"),
        ("upload:truncate", "truncate needs after, a number of bytes"),
        ("upload:truncate:abc", "after is a number of bytes, got 'abc'"),
        ("upload:truncate:1_000", "after is a number of bytes, got '1_000'"),
        ("upload:reset:5", "reset takes nothing, got '5' as well"),
        ("upload:stall:1:2s:3s", "stall takes after and seconds, got '3s' as well"),
        ("upload:stall:1:secs=3s", "stall has no 'secs'; did you mean 'seconds'?"),
        ("upload:stall:1:why=3s", "stall has no 'why'; known are after, after_calls, seconds, times"),
        ("upload:stall:1:3", "seconds is a duration like 250ms or 2s, got '3'"),
        ("upload:latency:between=1s:seed=1", "between is two durations like 1s-3s, got '1s'"),
        ("upload:latency:between=1s-3s", (
            "latency: between= draws a time for each call; give it seed=, a whole number, so that a run can be repeated"
        )),
        ("upload:503:x0", "status: times is a number from 1 or 'forever', got 0"),
        ("upload:503:times=ever", "times is a whole number, got 'ever'"),
        ("upload:rate_limit:form=iso", "rate_limit: form is 'seconds' or 'date', got 'iso'"),
        ("upload:twice", "twice() is a fault of callbacks; plan it on 'callback', not on 'upload'"),
        ("upload:truncate:1:before", (
            "truncate() harms nothing but the way, so the work is always done; leave phase='before' out"
        )),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(line: str, reason: str) -> None:
    with pytest.raises(OcBulkError) as error:
        FaultPlan().add(line)
    assert str(error.value) == f"fault {line!r}: {reason}"
