"""The work behind a job: what it is made of, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from . import jobs
from .instances import Instance
from .jobs import Job
from .plans import JobPlan
from .store import Store


class Work(Protocol):
    """What a job does: pieces are prepared without the store and committed under the emulator's lock."""

    done: int
    failed: int
    error: str
    finished: bool
    failure_status: str

    @property
    def info(self) -> str | None:
        """The job's infoMessage."""
        ...

    def prepare(self) -> Any:
        """Make the next piece ready."""
        ...

    def commit(self, store: Store, piece: Any, now: int) -> None:
        """Write a piece; `now` is in ms."""
        ...

    def abandon(self) -> None:
        """The job has ended: drop what was not finished, give back what is held open."""
        ...

    def close(self) -> None:
        """Give back what is held open."""
        ...


@dataclass(slots=True)
class Task:
    """The work behind one job: what it does, its plan, and what its end is to be.

    `preparing`: a worker is at it without holding the lock, so that what it reads must not be closed.
    """

    instance: Instance
    job: Job
    work: Work
    plan: JobPlan = field(default_factory=JobPlan)
    end: str = jobs.COMPLETED
    due: float = 0.0
    started: bool = False
    preparing: bool = False
