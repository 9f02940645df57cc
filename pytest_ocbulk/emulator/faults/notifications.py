"""Faults of the callback that tells the end of a job."""

from __future__ import annotations

from dataclasses import dataclass

from ..callbacks import SIGNATURE_HEADER, Callback, sign
from ..errors import OcBulkError
from ..timeline import Step, Timeline
from .base import Fault
from .words import DURATION, NAME, duration, word


@dataclass(frozen=True)
class CallbackLate(Fault):
    """The callback comes so much later than it should; the status shows the end in time."""

    duration: float | str = word(DURATION, 60)

    kind = "callback_late"
    aim = "callback"

    def settle(self) -> None:
        """A duration may be text."""
        self.set("duration", duration(self.duration))

    def callbacks(self, callback: Callback) -> list[Callback]:
        """Later."""
        return [callback._replace(due=callback.due + float(self.duration))]


class Twice(Fault):
    """The same callback comes two times."""

    kind = "twice"
    aim = "callback"

    def callbacks(self, callback: Callback) -> list[Callback]:
        """Twice."""
        return [callback, callback]


@dataclass(frozen=True)
class Early(Fault):
    """The callback comes while the status does not show the end yet: for `hold`, looks (`x1`) or a time (`5s`)."""

    hold: str = word(NAME, "x1")

    kind = "early"
    aim = "callback"

    def settle(self) -> None:
        """The hold is written as in a timeline."""
        try:
            step = Timeline.parse(f"CREATED {self.hold} COMPLETED").steps[0]
        except OcBulkError:
            step = Step("")
        if not step.hold:
            raise self.refusal(f"hold is looks or a time, like 'x1' or '5s', got {self.hold!r}")
        self.set("hold", step.hold)

    def detour(self, shown: str, end: str) -> Timeline:
        """The old status for a while."""
        held = Timeline.parse(f"CREATED {self.hold} COMPLETED").steps[0]
        return Timeline((held._replace(status=shown), Step(end)))


class Never(Fault):
    """The callback does not come at all."""

    kind = "never"
    aim = "callback"

    def callbacks(self, callback: Callback) -> list[Callback]:  # noqa: ARG002  # as Fault.callbacks
        """None."""
        return []


class BadSignature(Fault):
    """The callback carries a signature that does not belong to it, also where the instance has no key."""

    kind = "bad_signature"
    aim = "callback"

    def callbacks(self, callback: Callback) -> list[Callback]:
        """Signed by somebody else."""
        headers = {**callback.headers, SIGNATURE_HEADER: sign("a key that nobody has", callback.body)}
        return [callback._replace(headers=headers)]


class OutOfOrder(Fault):
    """The callback comes after that of a later job; without a later one it waits."""

    kind = "out_of_order"
    aim = "callback"

    def callbacks(self, callback: Callback) -> list[Callback]:
        """Behind the next one."""
        return [callback._replace(held=True)]
