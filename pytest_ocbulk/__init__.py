"""A fake SAP Open Connectors bulk API for tests.

The names below are all that a test needs besides the fixtures. Each is loaded when it is first used: importing this
package loads neither pytest nor any dependency.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import BulkClient
    from .contacts import ContactsFile
    from .emulator.errors import OcBulkError
    from .handle import OcBulk, OcBulkClock
    from .jobs import OcBulkJob

__all__ = [
    "BulkClient",
    "ContactsFile",
    "OcBulk",
    "OcBulkClock",
    "OcBulkError",
    "OcBulkJob",
]

_HOMES = {
    "BulkClient": "client",
    "ContactsFile": "contacts",
    "OcBulk": "handle",
    "OcBulkClock": "handle",
    "OcBulkError": "emulator.errors",
    "OcBulkJob": "jobs",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
