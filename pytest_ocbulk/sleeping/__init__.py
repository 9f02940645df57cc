"""Time that the code under test moves by sleeping.

Modules: clock (what a test holds: `DrivenClock`), driving (one clock for all threads that sleep), patches (what is
replaced in `time`, `asyncio` and `threading`, and put back), references (names that were imported before), loops
(timers of asyncio).
"""

from .clock import DrivenClock
from .driving import SleptTooLong

__all__ = ["DrivenClock", "SleptTooLong"]
