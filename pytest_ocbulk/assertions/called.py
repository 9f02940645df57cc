"""What a test asserts about calls, and the nearest ones when there is none."""

from __future__ import annotations

from ..emulator.errors import OcBulkError
from ..emulator.journal import Exchange
from ..evidence import Evidence
from ..showing import counted, one_line
from .nearness import Wanted, nearest_calls

SHOWN = 5
"""Calls shown; the others are counted."""


def assert_called(evidence: Evidence, wanted: Wanted, times: int | None) -> list[Exchange]:
    """Fail unless a call was made so many times (None: at least once); see `OcBulk.assert_called`."""
    __tracebackhide__ = True
    if times is not None and (type(times) is not int or times < 0):
        raise OcBulkError(
            f"assert_called(times=...) is a number from 0, or left out for any number from 1, got {times!r}"
        )
    exchanges = list(evidence.instance.journal)
    found = [each for each in exchanges if not wanted.mismatches(evidence, each)]
    if (len(found) == times) if times is not None else found:
        return found
    lines = [f"expected {_times(times)} of {wanted}, got {len(found) or 'none'}"]
    lines += [f"  {one_line(each, evidence.began)}" for each in found[:SHOWN]]
    if not found or (times or 0) > len(found):
        lines += nearest_calls(evidence, wanted, exchanges) or ["no other call was made"]
    raise AssertionError("\n".join(lines))


def _times(times: int | None) -> str:
    if times is None:
        return "a call"
    return "no call" if times == 0 else counted(times, "call")
