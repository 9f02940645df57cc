"""What is replaced while a drive is on, and how it is put back.

The functions of `time`, `asyncio.sleep`, the waiting of `threading.Condition` (and with it of `Event`, `Queue`,
`Semaphore`, `Future`, `Timer`) and the selector below asyncio's loops. The replacements ask `driving.here()`: in a
thread that is not driven, and for callers that must have the machine's time, they do what the originals do. They live
for ever, so a reference that somebody keeps beyond the block is harmless.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
import threading
import time
from collections.abc import Callable, Iterator
from math import inf
from types import BuiltinFunctionType, FrameType
from typing import Any

from ..emulator.errors import OcBulkError
from . import driving, loops
from .driving import Drive
from .references import Attribute, Finder, Place

MACHINE_TIME = frozenset(
    [
        "_pytest",
        "pytest",
        "pluggy",
        "xdist",
        "execnet",
        "pytest_asyncio",
        "pytest_timeout",
        "pytest_randomly",
        "hypothesis",
        "coverage",
        "logging",
        "multiprocessing",
        "selectors",
        "socketserver",
        "subprocess",
        "pytest_ocbulk",
        "fake_server",
    ]
)
"""Packages whose own time stays the machine's: the test runner, whatever waits for processes, and our doors."""

DRIVEN_OF_OURS = ("pytest_ocbulk.client", "pytest_ocbulk.cli", "pytest_ocbulk.contract")
"""Modules of ours that are clients, and so are driven like any other."""


def _drive() -> Drive | None:
    """The drive for the caller of the replacement that calls this."""
    if not driving.drives or keeps_machine_time(sys._getframe(2).f_globals.get("__name__", "")):
        return None
    return driving.here()


def keeps_machine_time(module: str) -> bool:
    """Whether a module is exempt, by its full name."""
    return module.partition(".")[0] in MACHINE_TIME and not module.startswith(DRIVEN_OF_OURS)


# -- the replacements ------------------------------------------------------------------------------------


def _refusal(name: str, found: object) -> OcBulkError:
    return OcBulkError(
        f"drives_sleep() wants to replace {name}, but something else has done so already: {found!r};"
        " take that patch away (mock, monkeypatch, freezegun), the fake's clock does its work"
    )


def _original(name: str) -> Any:
    """A function of `time`; refused, and with it the import of this module, while it is somebody's patch."""
    found = getattr(time, name)
    if not isinstance(found, BuiltinFunctionType):
        raise _refusal(f"time.{name}", found)
    return found


_sleep, _time, _monotonic, _perf_counter = map(_original, ("sleep", "time", "monotonic", "perf_counter"))
_time_ns, _monotonic_ns, _perf_counter_ns = map(_original, ("time_ns", "monotonic_ns", "perf_counter_ns"))
_condition_wait = threading.Condition.wait
_asyncio_sleep = asyncio.tasks.sleep


def sleep(seconds: Any, /) -> None:
    """Move the clock instead of sleeping; wrong values are left to the original, which complains."""
    drive = _drive()
    if drive is None or not isinstance(seconds, int | float) or not seconds > 0:
        _sleep(seconds)
    else:
        drive.sleep(seconds)


def driven_time() -> float:
    """`time.time`."""
    drive = _drive()
    return _time() if drive is None else drive.time()


def driven_monotonic() -> float:
    """`time.monotonic`."""
    drive = _drive()
    return _monotonic() if drive is None else drive.monotonic()


def driven_perf_counter() -> float:
    """`time.perf_counter`."""
    drive = _drive()
    return _perf_counter() if drive is None else drive.perf_counter()


def driven_time_ns() -> int:
    """`time.time_ns`."""
    drive = _drive()
    return _time_ns() if drive is None else round(drive.time() * 1e9)


def driven_monotonic_ns() -> int:
    """`time.monotonic_ns`."""
    drive = _drive()
    return _monotonic_ns() if drive is None else round(drive.monotonic() * 1e9)


def driven_perf_counter_ns() -> int:
    """`time.perf_counter_ns`."""
    drive = _drive()
    return _perf_counter_ns() if drive is None else round(drive.perf_counter() * 1e9)


def condition_wait(self: Any, timeout: float | None = None) -> bool:
    """`threading.Condition.wait`, word for word, but for how it waits."""
    drive = driving.here() if driving.drives and not _waits_for_the_machine() else None
    if drive is None or not self._is_owned():
        return _condition_wait(self, timeout)
    waiter = threading.Lock()
    waiter.acquire()
    self._waiters.append(waiter)
    saved = self._release_save()
    come = False

    def look(seconds: float) -> bool:
        return waiter.acquire(timeout=seconds) if seconds else waiter.acquire(blocking=False)

    try:
        come = drive.wait(inf if timeout is None else max(timeout, 0.0), look)
        return come
    finally:
        self._acquire_restore(saved)
        if not come and waiter in self._waiters:
            self._waiters.remove(waiter)


def _waits_for_the_machine() -> bool:
    """Whether it is an exempt module that waits on a condition, or a thread that waits for another to start."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and (module := frame.f_globals.get("__name__", "")) in ("threading", "queue"):
        if frame.f_code.co_name == "start":
            return True
        frame = frame.f_back
    return frame is not None and keeps_machine_time(module)


async def asyncio_sleep(delay: float, result: Any = None) -> Any:
    """`asyncio.sleep`; the loop's selector has to know that somebody sleeps."""
    drive = driving.here()
    if drive is None or not delay > 0:  # NaN too is the original's affair
        return await _asyncio_sleep(delay, result)
    with loops.sleeping(drive, delay):
        return await _asyncio_sleep(delay, result)


_REPLACEMENTS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sleep": (_sleep, sleep),
    "time": (_time, driven_time),
    "monotonic": (_monotonic, driven_monotonic),
    "perf_counter": (_perf_counter, driven_perf_counter),
    "time_ns": (_time_ns, driven_time_ns),
    "monotonic_ns": (_monotonic_ns, driven_monotonic_ns),
    "perf_counter_ns": (_perf_counter_ns, driven_perf_counter_ns),
}
_BY_ORIGINAL = {id(old): new for old, new in (*_REPLACEMENTS.values(), (_asyncio_sleep, asyncio_sleep))}
# -- putting them in place -------------------------------------------------------------------------------

_finder = Finder(_BY_ORIGINAL, keeps_machine_time)
_places: list[tuple[Place, Any, Any]] = []
_lock = threading.RLock()


def install(drive: Drive) -> None:
    """Turn a drive on; the first one puts the replacements in place. Raises `OcBulkError` if others have done so."""
    with _lock:
        if not driving.drives:
            _refuse_other_patches()
            _replace()
        driving.drives.append(drive)


def remove(drive: Drive) -> None:
    """Turn a drive off; the last one puts everything back."""
    with _lock:
        driving.drives.remove(drive)
        if not driving.drives:
            _put_back()


def _refuse_other_patches() -> None:
    for name, (original, ours) in _REPLACEMENTS.items():
        if (found := getattr(time, name)) not in (original, ours):
            raise _refusal(f"time.{name}", found)
    if asyncio.sleep not in (_asyncio_sleep, asyncio_sleep):
        raise _refusal("asyncio.sleep", asyncio.sleep)
    machine = sys.modules.get("time_machine")
    if machine is not None and machine.escape_hatch.is_travelling():
        raise OcBulkError(
            "drives_sleep() and time_machine.travel() would both set the time; take one of them away"
        )


def _replace() -> None:
    for name, (original, ours) in _REPLACEMENTS.items():
        _set(Attribute(time, name), original, ours)
    for module, name in (("threading", "_time"), ("queue", "time"), ("sched", "_time")):
        if module in sys.modules:
            _set(Attribute(sys.modules[module], name), _monotonic, driven_monotonic)
    for owner in (asyncio, asyncio.tasks):
        _set(Attribute(owner, "sleep"), _asyncio_sleep, asyncio_sleep)
    _set(Attribute(threading.Condition, "wait"), _condition_wait, condition_wait)
    for kind, original in _SELECTS.items():
        _set(Attribute(kind, "select"), original, _selects[kind])
    for place in _finder.places():
        if (new := _BY_ORIGINAL.get(id(original := place.get()))) is not None:
            _set(place, original, new)


def _set(place: Place, old: Any, new: Any) -> None:
    held = place.get()
    if held is old or held is new:  # left there by somebody who put back what he found in an earlier block
        place.put(new)
        _places.append((place, old, new))


def _put_back() -> None:
    while _places:
        place, old, new = _places.pop()
        if place.get() is new:  # or somebody else has patched it meanwhile, and will undo that himself
            place.put(old)


def _driven_select(original: loops.Select) -> loops.Select:
    def select(self: selectors.BaseSelector, timeout: float | None = None) -> list[Any]:
        drive = driving.here() if driving.drives else None
        if drive is None or sys._getframe(1).f_globals.get("__name__") != "asyncio.base_events":
            return original(self, timeout)
        return loops.select(drive, original, self, timeout)

    return select


def _selectors() -> Iterator[tuple[type, loops.Select]]:
    for kind in vars(selectors).values():
        if isinstance(kind, type) and issubclass(kind, selectors.BaseSelector) and "select" in vars(kind):
            yield kind, vars(kind)["select"]


_SELECTS = dict(_selectors())
_selects = {kind: _driven_select(original) for kind, original in _SELECTS.items()}
