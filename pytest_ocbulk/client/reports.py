"""What the service tells, as frozen values: jobs, their status, failed rows, fields of an object.

Three generations of the service name the same things differently (protocol.md 3.4 to 3.6); `_NAMES` is the one
place that knows. Whatever else the body held stays readable in `raw`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pytest_ocbulk.emulator.jobs import FAILED, KNOWN, SUCCESSFUL, TERMINAL, canonical

from .errors import JobFailed, RowsFailed, UnexpectedAnswer

_NAMES: dict[str, tuple[str, ...]] = {
    "id": ("id", "job_id"),
    "status": ("status", "jobStatus", "job_status", "bulk_status"),
    "records_count": ("recordsCount", "recordCount", "record_count"),
    "records_failed_count": ("recordsFailedCount", "errorCount", "error_count"),
    "error": ("error",),
    "info": ("infoMessage", "statusMessage", "message"),
    "object_name": ("object_name", "objectName"),
    "direction": ("job_direction", "jobDirection"),
    "file_format": ("fileFormat",),
    "file_size": ("fileSize",),
    "metadata": ("metadata", "metaData"),
    "instance_id": ("instanceId", "instance_id"),
    "created": ("createdDate", "bulk_start_time"),
    "finished": ("completion_time", "completionTime", "bulk_finish_time"),
}


@dataclass(frozen=True, slots=True)
class Job:
    """A job just made: its id, its status in the service's word, the id of its instance where told."""

    id: str
    status: str
    instance_id: int | None = None

    @classmethod
    def from_body(cls, body: object) -> Job:
        """Read a job stub (protocol.md 3.1); raises `UnexpectedAnswer` without an id."""
        stub = _mapping(body, "a job stub with an id")
        number = _pick(stub, "id")
        if number is None:
            raise UnexpectedAnswer(f"expected a job stub with an id, got {_short(body)}")
        return cls(str(number), str(_pick(stub, "status") or ""), _integer(_pick(stub, "instance_id")))


@dataclass(frozen=True, slots=True)
class JobStatusReport:
    """What one status call, or one line of the jobs list, said.

    `status` is the service's own word. `records_count` counts all rows, failed ones included; `file_size` is
    bytes; `metadata` is the JSON text that came with the upload; instants are in UTC. Fields that the answer
    did not hold are None.
    """

    id: str
    status: str
    records_count: int | None = None
    records_failed_count: int | None = None
    error: str | None = None
    info: str | None = None
    object_name: str | None = None
    direction: str | None = None
    file_format: str | None = None
    file_size: int | None = None
    metadata: str | None = None
    created: datetime | None = None
    finished: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_body(cls, body: object, job_id: str = "") -> JobStatusReport:
        """Read a status body or a line of the jobs list; raises `UnexpectedAnswer` without id or status."""
        raw = _mapping(body, "a job's status")
        known = {name: _pick(raw, name) for name in _NAMES}
        number, status = known["id"] or job_id, known["status"]
        if not number or not isinstance(status, str):
            raise UnexpectedAnswer(f"expected a job's id and status, got {_short(body)}")
        return cls(
            id=str(number),
            status=status,
            records_count=_integer(known["records_count"]),
            records_failed_count=_integer(known["records_failed_count"]),
            error=_text(known["error"]),
            info=_text(known["info"]),
            object_name=_text(known["object_name"]),
            direction=_text(known["direction"]),
            file_format=_text(known["file_format"]),
            file_size=_integer(known["file_size"]),
            metadata=_text(known["metadata"]),
            created=_instant(known["created"]),
            finished=_instant(known["finished"]),
            raw=raw,
        )

    @property
    def word(self) -> str:
        """The status in one spelling: `COMPLETE` is `COMPLETED`, `Canceled` is `CANCELLED`."""
        return canonical(self.status.strip())

    @property
    def known(self) -> bool:
        """Whether the status is a word of the service's vocabulary (protocol.md 4)."""
        return self.word in KNOWN

    @property
    def final(self) -> bool:
        """Whether the job has ended, well or badly. An unknown word counts as still running."""
        return self.word in TERMINAL

    @property
    def succeeded(self) -> bool:
        """Whether the job ended in a word of success; rows can have failed all the same."""
        return self.word in SUCCESSFUL

    @property
    def all_rows_in(self) -> bool:
        """Whether the job succeeded and left no row out."""
        return self.succeeded and not self.records_failed_count

    def check(self) -> JobStatusReport:
        """Itself, if every row is in. Raises `RowsFailed` or `JobFailed` if not."""
        if not self.succeeded:
            reason = f": {self.error}" if self.error else ""
            kind = "ended" if self.final else "has not ended, it is"
            raise JobFailed(f"job {self.id} {kind} {self.status}{reason}", self)
        if self.records_failed_count:
            raise RowsFailed(
                f"job {self.id} ended {self.status}, but {self.records_failed_count} of"
                f" {self.records_count} rows failed; errors({self.id!r}) lists them",
                self,
            )
        return self

    @property
    def failed(self) -> bool:
        """Whether the service ended the job because it could not go on (`ABORTED`, `ERROR`)."""
        return self.word in FAILED


@dataclass(frozen=True, slots=True)
class RowError:
    """One failed row: its number (1 is the first row of data; None if not told) and why it failed."""

    row: int | None
    message: str
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_item(cls, item: object) -> RowError:
        """Read one error item.

        The message is `error` where `status` is the literal ERROR and `status` otherwise, as in the vendor's own
        grid; the API description says plain strings, which are read too (protocol.md 3.9).
        """
        if not isinstance(item, Mapping):
            return cls(None, str(item))
        status = item.get("status")
        message = (item.get("error") or "ERROR") if status in (None, "ERROR") else status
        return cls(_integer(item.get("rowNum")), str(message), item)


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field of an object: its name, its type as the service calls it, whether it must be given."""

    name: str
    type: str
    required: bool = False
    read_only: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def list_from_body(cls, body: object) -> list[FieldInfo]:
        """Read the metadata of an object (protocol.md 8); raises `UnexpectedAnswer` without `fields`."""
        fields = _mapping(body, '{"fields": [...]}').get("fields")
        if not isinstance(fields, list):
            raise UnexpectedAnswer(f'expected {{"fields": [...]}}, got {_short(body)}')
        return [cls.from_item(item) for item in fields]

    @classmethod
    def from_item(cls, item: object) -> FieldInfo:
        """Read one entry of `fields`; booleans may come as text (protocol.md 8)."""
        raw = _mapping(item, "a field with its vendorPath")
        return cls(
            str(raw.get("vendorPath") or raw.get("path") or ""),
            str(raw.get("type") or ""),
            _truth(raw.get("vendorRequired")),
            _truth(raw.get("vendorReadOnly")),
            raw,
        )


JobReference = Job | JobStatusReport | str | int
"""A job, or its id."""


def job_id(job: JobReference) -> str:
    """The id of a job, however it is given."""
    return job.id if isinstance(job, (Job, JobStatusReport)) else str(job)


def _pick(body: Mapping[str, Any], name: str) -> Any:
    return next((body[key] for key in _NAMES[name] if body.get(key) is not None), None)


def _mapping(body: object, expected: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise UnexpectedAnswer(f"expected {expected}, got {_short(body)}")
    return body


def _short(body: object) -> str:
    text = repr(body)
    return text if len(text) <= 80 else text[:77] + "..."


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _integer(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


def _truth(value: object) -> bool:
    return value is True or str(value).lower() == "true"


def _instant(value: object) -> datetime | None:
    """Epoch milliseconds or ISO 8601: which of them a status body holds is not evidenced (protocol.md 3.4)."""
    try:
        if isinstance(value, (int, float)) or str(value).isdigit():
            return datetime.fromtimestamp(float(str(value)) / 1000, UTC)
        instant = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
