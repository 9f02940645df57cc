"""What a job is and how its status may change. Nothing outside this module changes a status.

The words are those of the service (protocol.md 4). The core knows one word for success, `COMPLETED`; how a
dialect spells it on the wire is the dialect's affair. `TRANSITIONS` says what a caller can see after what: a
poll may miss steps, so every later status is reachable, no earlier one is, and final ones never change.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from .results import Criteria
    from .row_keys import RowKeys
    from .timeline import Course

COMPLETED = "COMPLETED"
CREATED = "CREATED"
RUNNING = "RUNNING"
ABORTED = "ABORTED"
ERROR = "ERROR"
CANCELLED = "CANCELLED"
CANCELLATION_PENDING = "CANCELLATION_PENDING"

SUCCESSFUL = frozenset({COMPLETED, "SUCCESS", "WARNING"})
FAILED = frozenset({ABORTED, ERROR})
TERMINAL = SUCCESSFUL | FAILED | {CANCELLED}

_STAGES: tuple[frozenset[str], ...] = (
    frozenset({CREATED}),
    frozenset({"SCHEDULED", "INITIATED"}),
    frozenset({"STARTED"}),
    frozenset({RUNNING}),
    TERMINAL | {CANCELLATION_PENDING},
)

TRANSITIONS: dict[str, frozenset[str]] = (
    {
        status: frozenset().union(*_STAGES[stage + 1 :])
        for stage, statuses in enumerate(_STAGES[:-1])
        for status in statuses
    }
    | {CANCELLATION_PENDING: frozenset({CANCELLED}) | FAILED}
    | dict.fromkeys(TERMINAL, frozenset())
)

KNOWN = frozenset(TRANSITIONS)

_SPELLINGS = {"COMPLETE": COMPLETED, "CANCELED": CANCELLED}

Direction = Literal["UPLOAD", "DOWNLOAD"]


def can_become(now: str, then: str) -> bool:
    """Whether a status may follow another; words that the service does not know may, unless the first is final."""
    return then in TRANSITIONS.get(now, KNOWN) or (then not in KNOWN and now not in TERMINAL)


def canonical(word: str) -> str:
    """The core's spelling of a status word: `COMPLETE` is `COMPLETED`, `CANCELED` is `CANCELLED`."""
    return _SPELLINGS.get(word.upper(), word.upper())


class JobEvent(NamedTuple):
    """One change of status, at an instant (seconds since 1970-01-01 UTC)."""

    status: str
    at: float


@dataclass(slots=True)
class Job:
    """One asynchronous bulk operation, its counts and the course it takes.

    Instants are seconds since 1970-01-01 UTC, `file_size` is bytes, `digest` the SHA-256 of the
    uploaded file, `row_keys` tells its rows as far as they were read, `metadata` the text of the metaData part. Of
    downloads: `criteria` is what `query` says, `file_name` the name asked for, `nulls` whether null values show (None:
    as in lists).
    """

    id: str
    instance_id: int
    object_name: str
    direction: Direction
    course: Course
    created: float
    file_format: str = "csv"
    file_size: int = 0
    digest: str = ""
    row_keys: RowKeys | None = None
    metadata: str | None = None
    query: str | None = None
    criteria: Criteria | None = None
    file_name: str | None = None
    nulls: bool | None = None
    callback_url: str | None = None
    callback_payload: object = None
    v3: bool = False
    error: str | None = None
    info: str | None = None
    records: int = 0
    failed: int = 0
    finished: float | None = None
    events: list[JobEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.events:
            first = self.course.step.status
            # The job of a timeline of one word ends as it begins: it is created all the same.
            self.events.append(JobEvent(CREATED if first in TERMINAL else first, self.created))

    @property
    def status(self) -> str:
        """The present status, in the core's spelling."""
        return self.events[-1].status

    @property
    def terminal(self) -> bool:
        """Whether the status is final."""
        return self.status in TERMINAL

    def move(self, status: str, at: float) -> None:
        """Change the status; a final one never changes (protocol.md 4). Raises `ValueError` for what is forbidden."""
        if status == self.status and not self.terminal:
            return
        if not can_become(self.status, status):
            final = ", which is final" if self.terminal else ""
            raise ValueError(f"job {self.id} is {self.status}{final}; it cannot become {status}")
        self.events.append(JobEvent(status, at))
        if status in TERMINAL:
            self.finished = at

    def moved(self, status: str, at: float) -> Job:
        """The same job as it will be when its status has changed; this one stays as it is."""
        later = replace(self, events=[*self.events])
        later.move(status, at)
        return later
