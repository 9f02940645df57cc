"""The machine's own time, out of the reach of whoever patches `time`.

Tests replace `time.sleep` and `time.monotonic` by mocks and stopped clocks. What keeps our servers and waits going must
not notice: a loop on a stopped clock does nothing any more, and a mock would count our sleeps as the client's. So the
functions come from a second copy of the module, which no patch finds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec, module_from_spec

_time = module_from_spec(_found) if (_found := find_spec("time")) else time

sleep: Callable[[float], None] = _time.sleep
monotonic: Callable[[], float] = _time.monotonic
perf_counter: Callable[[], float] = _time.perf_counter
