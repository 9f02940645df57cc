"""What can go wrong with one call, as frozen values that are checked when they are written.

    status(503), rate_limit(2), latency("3s"), reset(), truncate(100), stall(100, "30s"),
    malformed_json(), wrong_type(), empty()                          the answer
    slow_upload(1024), stall_upload(100, "30s"), reset_upload(100)   the body of the request, while it arrives
    callback_late("30s"), twice(), early(), never(), bad_signature(), out_of_order()         the callback

Each takes `times=` (a number or "forever") and `after_calls=` (calls that go well first). A fault changes
values - an answer, a reception, a list of callbacks - and does nothing by itself; doors perform it. `FaultPlan`
says which call it hits, `text` how it is written in one line.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .base import Fault
from .plan import CALLBACK, UNHARMED, FaultPlan, PlannedFault, Strike, operations

if TYPE_CHECKING:
    from .kinds import (
        KINDS,
        bad_signature,
        callback_late,
        early,
        empty,
        latency,
        malformed_json,
        never,
        out_of_order,
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
    from .text import parse

__all__ = [
    "CALLBACK",
    "KINDS",
    "UNHARMED",
    "Fault",
    "FaultPlan",
    "PlannedFault",
    "Strike",
    "bad_signature",
    "callback_late",
    "early",
    "empty",
    "latency",
    "malformed_json",
    "never",
    "operations",
    "out_of_order",
    "parse",
    "rate_limit",
    "reset",
    "reset_upload",
    "slow_upload",
    "stall",
    "stall_upload",
    "status",
    "truncate",
    "twice",
    "wrong_type",
]


def __getattr__(name: str) -> object:
    """The kinds, and how they are written: loaded by the first fault, for most fakes and servers never see one."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(".text" if name == "parse" else ".kinds", __name__)
    value = globals()[name] = getattr(home, name)
    return value
