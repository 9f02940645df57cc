"""How long tests wait for what must happen. One number: nothing waits this long unless it has failed.

OCBULK_PATIENCE=5 make tests        five times as long, on a machine that is very busy
"""

from __future__ import annotations

import os

PATIENCE = 30.0 * float(os.environ.get("OCBULK_PATIENCE", "1"))
"""Seconds that a socket, a thread, an event or a process is waited for before a test fails."""
