"""What a fault is: a frozen value, checked when it is written, that changes other values and does nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

from ..callbacks import Callback
from ..errors import OcBulkError
from ..messages import Disconnect, Reception, Response
from ..timeline import Timeline

Phase = Literal["before", "after"]
Aim = Literal["answer", "body", "callback"]
Forever = Literal["forever"]

FOREVER: Forever = "forever"


class Hit(NamedTuple):
    """An answer, the instant at which it was given, and the how manieth one it is that the fault hits, from 0."""

    response: Response
    at: float
    number: int


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call; this one harms nothing and is what hits a call that goes well.

    `phases` are the moments it can come at, its usual one first: `before` the work, which is then never done, or
    `after` it, when the work is done and its answer suffers. A kind without values of its own needs no `@dataclass`:
    what it inherits tells kinds apart by their class.
    """

    times: int | Forever = field(default=1, kw_only=True)
    after_calls: int = field(default=0, kw_only=True)

    kind: ClassVar[str] = ""
    aim: ClassVar[Aim] = "answer"
    phases: ClassVar[tuple[Phase, ...]] = ("after",)
    needs_socket: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.times != FOREVER and not counts(self.times, 1):
            raise OcBulkError(f"{self.kind}: times is a number from 1 or 'forever', got {self.times!r}")
        if not counts(self.after_calls, 0):
            raise OcBulkError(f"{self.kind}: after_calls is a number from 0, got {self.after_calls!r}")
        self.settle()

    def settle(self) -> None:
        """Bring the values into their final form; raise `OcBulkError` for those that make no sense."""

    def answer(self, hit: Hit) -> Response | Disconnect:
        """What becomes of an answer."""
        return hit.response

    def reception(self, reception: Reception, length: int | None) -> Reception:  # noqa: ARG002  # kinds need it
        """How a body of `length` bytes (None: not announced) is received."""
        return reception

    def callbacks(self, callback: Callback) -> list[Callback]:
        """What is sent instead of a callback."""
        return [callback]

    def detour(self, shown: str, end: str) -> Timeline | None:  # noqa: ARG002  # kinds need it
        """What a job that shows one status still shows while its `end` is announced already; None: the end."""
        return None

    def set(self, name: str, value: object) -> None:
        """Put a value into its final form; for `settle` only."""
        object.__setattr__(self, name, value)

    def refusal(self, reason: str) -> OcBulkError:
        """The error for a value that makes no sense."""
        return OcBulkError(f"{self.kind}: {reason}")

    def at_least(self, name: str, least: int) -> None:
        """Hold a whole number against its least value."""
        value = getattr(self, name)
        if not counts(value, least):
            raise self.refusal(f"{name} is a whole number from {least}, got {value!r}")


def counts(value: object, least: int) -> bool:
    """Whether a value is a whole number from `least` on."""
    return type(value) is int and value >= least
