"""What can go wrong with one call, as frozen values that are checked when they are written.

    status(503), rate_limit(2), latency("3s"), reset(), truncate(100), stall(100, "30s"),
    malformed_json(), wrong_type(), empty()                          the answer
    slow_upload(1024), stall_upload(100, "30s"), reset_upload(100)   the body of the request, while it arrives
    callback_late("30s"), twice(), early(), never(), bad_signature(), out_of_order()         the callback

Each takes `times=` (a number or "forever") and `after_calls=` (calls that go well first). A fault changes
values - an answer, a reception, a list of callbacks - and does nothing by itself; doors perform it. `FaultPlan`
says which call it hits, `text` how it is written in one line.

The kinds are in `kinds`, which the first fault loads: most fakes and servers never see one.
"""

from __future__ import annotations

from .base import Fault
from .plan import CALLBACK, UNHARMED, FaultPlan, PlannedFault, Strike, operations

__all__ = ["CALLBACK", "UNHARMED", "Fault", "FaultPlan", "PlannedFault", "Strike", "operations"]
