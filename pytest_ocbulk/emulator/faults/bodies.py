"""Faults of the request's body, while it arrives. They need a door with a socket."""

from __future__ import annotations

from dataclasses import dataclass

from ..messages import Disconnect, Reception
from .base import Fault, Hit
from .stalling import Stalling
from .words import BYTES, word


@dataclass(frozen=True)
class SlowUpload(Fault):
    """The body of the request is read slowly, as over a thin line."""

    bytes_per_second: int = word(BYTES)

    kind = "slow_upload"
    aim = "body"
    needs_socket = True

    def settle(self) -> None:
        """At no bytes per second nothing would ever arrive."""
        self.at_least("bytes_per_second", 1)

    def reception(self, reception: Reception, length: int | None) -> Reception:  # noqa: ARG002  # as Fault.reception
        """Slowly."""
        return reception._replace(bytes_per_second=self.bytes_per_second)


class StallUpload(Stalling):
    """The body of the request is not read on after so many bytes, for a while; a shorter one at its end."""

    kind = "stall_upload"
    aim = "body"

    def reception(self, reception: Reception, length: int | None) -> Reception:
        """With a pause."""
        return reception._replace(stall_after=_within(self.after, length), stall=float(self.seconds))


@dataclass(frozen=True)
class ResetUpload(Fault):
    """The connection is reset after so many bytes of the request's body, or at its end; the work is not done."""

    after: int = word(BYTES)

    kind = "reset_upload"
    aim = "body"
    phases = ("before",)
    needs_socket = True

    def settle(self) -> None:
        """Bytes are counted from 0."""
        self.at_least("after", 0)

    def reception(self, reception: Reception, length: int | None) -> Reception:
        """Up to there."""
        return reception._replace(reset_after=_within(self.after, length))

    def answer(self, hit: Hit) -> Disconnect:  # noqa: ARG002  # as Fault.answer
        """A body whose length nobody announced may have arrived in full."""
        return Disconnect()


def _within(after: int, length: int | None) -> int:
    return after if length is None else min(after, length)
