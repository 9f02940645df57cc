"""Faults that a test plans for an operation: which, how often, and before or after the work is done."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class FaultPlan:
    """The queue of planned faults of one instance."""

    queued: list[object] = field(default_factory=list)
