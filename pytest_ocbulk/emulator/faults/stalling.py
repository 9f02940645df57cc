"""What the faults share that let a body stand still, in whichever direction it travels."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Fault
from .words import BYTES, DURATION, duration, word


@dataclass(frozen=True)
class Stalling(Fault):
    """A body stands still after so many bytes, for so many seconds; in which direction it travels, the kinds say."""

    after: int = word(BYTES, 0)
    seconds: float | str = word(DURATION, 30)

    needs_socket = True

    def settle(self) -> None:
        """Bytes are counted from 0; a duration may be text."""
        self.at_least("after", 0)
        self.set("seconds", duration(self.seconds))
