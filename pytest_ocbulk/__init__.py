"""A fake SAP Open Connectors bulk API for tests.

The names below are all that a test needs besides the fixtures: types for annotations, and the faults that
`ocbulk.faults.on(...)` takes. Each is loaded when it is first used: importing this package loads neither pytest nor
any dependency.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import BulkClient
    from .contacts import ContactsFile
    from .emulator.errors import OcBulkError
    from .emulator.faults.kinds import (
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
    from .fakes import MakeOcBulk
    from .handle import OcBulk
    from .in_process import PolledForEver
    from .jobs import OcBulkJob
    from .receiver import Receiver
    from .sleeping import DrivenClock, SleptTooLong

__all__ = [
    "BulkClient",
    "ContactsFile",
    "DrivenClock",
    "MakeOcBulk",
    "OcBulk",
    "OcBulkError",
    "OcBulkJob",
    "PolledForEver",
    "Receiver",
    "SleptTooLong",
    "bad_signature",
    "callback_late",
    "early",
    "empty",
    "latency",
    "malformed_json",
    "never",
    "out_of_order",
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

_HOMES = {
    "BulkClient": "client",
    "ContactsFile": "contacts",
    "DrivenClock": "sleeping",
    "MakeOcBulk": "fakes",
    "OcBulk": "handle",
    "OcBulkError": "emulator.errors",
    "OcBulkJob": "jobs",
    "PolledForEver": "in_process",
    "Receiver": "receiver",
    "SleptTooLong": "sleeping",
}
"""Where a name is defined; the others are faults."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f".{_HOMES.get(name, 'emulator.faults.kinds')}", __name__)
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
