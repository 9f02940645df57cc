"""The machine's clock, for servers that run in real time. The core itself reads none."""

from __future__ import annotations

import time


class SystemClock:
    """The present instant of this machine."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return time.time()
