"""Which call is hit by which fault: a queue for each operation, taken from the front, the same in every run.

FaultPlan     the plan of one instance
PlannedFault  one entry: its operation, its fault and what has become of it
Strike        one fault hitting one call

The kinds, and how they are written, are imported where somebody plans one: the plan of most fakes stays empty.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from ..errors import OcBulkError, nearest
from ..messages import Disconnect, Reception, Response
from ..oldest_first import OldestFirst
from .base import FOREVER, Fault, Forever, Hit, Phase

CALLBACK = "callback"
"""The operation that is no call but the service's own: the notification of a job's end."""


@cache
def operations() -> frozenset[str]:
    """All that faults can be planned for: what `ROUTES` names, and `callback`."""
    return frozenset({CALLBACK, *_methods()})


@cache
def _methods() -> dict[str, frozenset[str]]:
    # Not at the top: the routes lead to the endpoints and from there to this plan.
    from ..routes import ROUTES

    found: dict[str, set[str]] = {}
    for route in ROUTES:
        if route.scope == "instance":
            found.setdefault(route.operation, set()).add(route.method)
    return {operation: frozenset(methods) for operation, methods in found.items()}


@dataclass(slots=True, eq=False)
class PlannedFault:
    """A fault for the next calls of an operation; `calls` went well first, `fired` times it struck."""

    operation: str
    fault: Fault
    phase: Phase
    calls: int = 0
    fired: int = 0

    def __str__(self) -> str:
        from .text import spelled

        return spelled(self.operation, self.fault, self.phase)

    @property
    def spent(self) -> bool:
        """Whether it strikes no more."""
        return self.fault.times != FOREVER and self.fired >= self.fault.times

    @property
    def pending(self) -> bool:
        """Whether it has not struck as often as planned; one that lasts forever is satisfied by one call."""
        return not self.fired if self.fault.times == FOREVER else not self.spent

    @property
    def waits(self) -> bool:
        """Whether more calls are to go well first."""
        return self.calls < self.fault.after_calls

    def describe(self) -> str:
        """What has become of it, for people: `upload:reset:after never fired: no upload call came`."""
        if self.fired:
            return f"{self} fired {self.fired} of {self.fault.times} times"
        if self.fault.after_calls:
            came = "1 call" if self.calls == 1 else f"{self.calls} calls"
            return f"{self} never fired: it waits for {self.fault.after_calls} calls to go well, {came} came"
        if self.operation == CALLBACK:
            return f"{self} never fired: no job with a callback ended"
        return f"{self} never fired: no {self.operation} call came for it"


class Strike(NamedTuple):
    """One fault hitting one call, as its how manieth, from 0."""

    planned: PlannedFault
    number: int = 0

    def __str__(self) -> str:
        return str(self.planned) if self.planned.operation else ""

    @property
    def fault(self) -> Fault:
        """What goes wrong."""
        return self.planned.fault

    @property
    def prevents(self) -> bool:
        """Whether the call's work is not done."""
        return self.planned.phase == "before"

    def answer(self, response: Response, at: float) -> Response | Disconnect:
        """What becomes of the answer at the instant `at`."""
        return self.fault.answer(Hit(response, at, self.number))

    def reception(self, reception: Reception, length: int | None) -> Reception:
        """How the body of the request, `length` bytes if that is known, is received."""
        return self.fault.reception(reception, length)


UNHARMED = Strike(PlannedFault("", Fault(), "after"))
"""What hits a call that goes well."""


class FaultPlan(OldestFirst[PlannedFault]):
    """The planned faults of one instance, by operation. `socket`: whether its door can break connections."""

    def __init__(self, *, socket: bool = True) -> None:
        self.socket = socket
        self._queues: dict[str, list[PlannedFault]] = {}
        self._fired: deque[Strike] = deque(maxlen=1000)

    def __repr__(self) -> str:
        planned = ", ".join(f"{each} fired {each.fired} of {each.fault.times}" for each in self)
        return f"<FaultPlan: {planned or 'nothing planned'}>"

    # -- planning ---------------------------------------------------------------------------------------

    def on(
        self,
        operation: str,
        fault: Fault,
        *,
        times: int | Forever | None = None,
        phase: Phase | None = None,
        after_calls: int | None = None,
    ) -> PlannedFault:
        """Plan a fault for the next calls of an operation, behind those planned for it already.

        `times` is the number of calls it hits or `"forever"`, `after_calls` the number that go well first, both as
        in the fault unless given here. `phase` "before": the work is not done; "after": it is, and the answer
        suffers; without one the kind's usual one. Raises `OcBulkError` for what could never happen.
        """
        if not isinstance(fault, Fault):
            raise OcBulkError(_no_fault(operation, fault))
        _known(operation)
        if times is not None:
            fault = replace(fault, times=times)
        if after_calls is not None:
            fault = replace(fault, after_calls=after_calls)
        planned = PlannedFault(operation, fault, fault.phases[0] if phase is None else phase)
        self._check(planned)
        self._queues.setdefault(operation, []).append(planned)
        return planned

    def add(self, text: str) -> PlannedFault:
        """Plan the fault that one line of text describes: `upload:reset:after`, `status:503:x2`."""
        from .text import parse

        written = parse(text, operations())
        try:
            return self.on(written.operation, written.fault, phase=written.phase)
        except OcBulkError as error:
            raise OcBulkError(f"fault {text!r}: {error}") from None

    def clear(self, operation: str | None = None) -> None:
        """Forget what was planned and what has fired, for one operation or for all."""
        if operation is not None:
            _known(operation)
        for each in (operation,) if operation else tuple(self._queues):
            self._queues.pop(each, None)
        kept = [each for each in self._fired if operation not in (None, each.planned.operation)]
        self._fired = deque(kept, maxlen=self._fired.maxlen)

    def _check(self, planned: PlannedFault) -> None:
        fault, operation = planned.fault, planned.operation
        name = f"{fault.kind}()"
        if planned.phase not in fault.phases:
            raise OcBulkError(_no_phase(planned))
        if (fault.aim == "callback") != (operation == CALLBACK):
            raise OcBulkError(
                f"{name} is a fault of callbacks; plan it on 'callback', not on {operation!r}"
                if fault.aim == "callback"
                else f"{name} is a fault of calls; callbacks know {_kinds_of_callbacks()}"
            )
        if fault.aim == "body" and not _methods()[operation] & {"POST", "PATCH"}:
            raise OcBulkError(f"{name} breaks the body of a request, and {operation} calls have none")
        if fault.needs_socket and not self.socket:
            raise OcBulkError(
                f"{name} needs a socket: use the ocbulk_server fixture (in this process no connection can break)"
            )
        queue = self._queues.get(operation)
        if queue and queue[-1].fault.times == FOREVER:
            raise OcBulkError(
                f"{planned} would never fire: {queue[-1]} comes first; call faults.clear({operation!r}) before it"
            )

    # -- striking ---------------------------------------------------------------------------------------

    def take(self, operation: str) -> Strike:
        """What hits the call that is being answered, or the callback that is being announced."""
        planned = self._front(operation)
        if planned is None:
            return UNHARMED
        if planned.waits:
            planned.calls += 1
            return UNHARMED
        return UNHARMED if planned.fault.aim == "body" else self._fire(planned)

    def arriving(self, operation: str) -> Strike | None:
        """What hits a call whose head has arrived and whose body is to come; None: `take` is to decide later."""
        planned = self._front(operation)
        if planned is None:
            return None
        if planned.waits:
            planned.calls += 1
            return UNHARMED
        return self._fire(planned) if planned.fault.aim == "body" else None

    def _front(self, operation: str) -> PlannedFault | None:
        return next((each for each in self._queues.get(operation, ()) if not each.spent), None)

    def _fire(self, planned: PlannedFault) -> Strike:
        strike = Strike(planned, planned.fired)
        planned.fired += 1
        self._fired.append(strike)
        return strike

    # -- looking back -----------------------------------------------------------------------------------

    def _copy(self) -> list[PlannedFault]:
        return [each for queue in self._queues.values() for each in queue]

    @property
    def pending(self) -> tuple[PlannedFault, ...]:
        """The faults that have not struck as often as planned; `describe()` says why."""
        return tuple(each for each in self if each.pending)

    @property
    def fired(self) -> tuple[Strike, ...]:
        """The last thousand strikes, oldest first."""
        return tuple(self._fired)


def _known(operation: str) -> None:
    if operation not in operations():
        raise OcBulkError(f"unknown operation {operation!r}{nearest(operation, operations())}")


def _no_fault(operation: str, given: object) -> str:
    if isinstance(operation, Fault):
        return f"the operation comes first: faults.on({given!r}, {operation.kind}(...))"
    if isinstance(given, type) and issubclass(given, Fault):
        return f"a fault is a value: write {given.kind}(...), with its parentheses"
    if isinstance(given, str):
        return f"a fault is a value like reset(); in one line of text: faults.add({f'{operation}:{given}'!r})"
    return f"a fault is a value like reset() or status(503), got {given!r}"


def _no_phase(planned: PlannedFault) -> str:
    fault, name = planned.fault, f"{planned.fault.kind}()"
    if planned.phase not in ("before", "after"):
        return f"phase is 'before' or 'after', got {planned.phase!r}{nearest(planned.phase, ('before', 'after'))}"
    if fault.phases == ("before",):
        return f"{name} keeps the call from arriving, so its work is never done; leave phase='after' out"
    return f"{name} harms nothing but the way, so the work is always done; leave phase='before' out"


def _kinds_of_callbacks() -> str:
    from .kinds import KINDS

    return ", ".join(sorted(f"{name}()" for name, kind in KINDS.items() if kind.aim == "callback"))
