"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A busy machine is no defect of the code: examples may take their time, and there are enough of them in all.
settings.register_profile(
    "ocbulk", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ocbulk")

# Where a proxy is set, it must not see what is meant for this machine: it would not find our ports.
os.environ["no_proxy"] = ",".join(filter(None, [os.environ.get("no_proxy"), "127.0.0.1", "localhost"]))
