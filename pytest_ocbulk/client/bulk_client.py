"""BulkClient: one method per thing the bulk API can do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self, overload

import requests

from .connection import ATTEMPTS, Answer, Connection, Timeout
from .credentials import Credentials
from .errors import (
    ConfigurationError,
    OutcomeUnknown,
    Refused,
    UnexpectedAnswer,
    UploadOutcomeUnknown,
    in_doubt,
)
from .lost_upload import UploadAttempt, could_be, the_only
from .multipart_body import FileContent, Progress, Source, multipart_body
from .paging import items_of, pages
from .polling import poll
from .reports import FieldInfo, Job, JobReference, JobStatusReport, RowError, job_id
from .rows import Row, csv_rows, json_rows
from .saving import pour, save
from .waiting import Timekeeper, checked_seconds, delays

CALLBACK_HEADER = "Elements-Async-Callback-Url"

Format = Literal["csv", "json"]
ACCEPT: dict[str, str] = {"csv": "text/csv", "json": "application/json"}
"""What to ask for, and what to call an uploaded file, by format."""

ENVIRONMENT = {
    "base_url": "OPEN_CONNECTORS_BASE_URL",
    "element_token": "OPEN_CONNECTORS_ELEMENT_TOKEN",
    "user_secret": "OPEN_CONNECTORS_USER_SECRET",
    "organization_secret": "OPEN_CONNECTORS_ORGANIZATION_SECRET",
    "hub": "OPEN_CONNECTORS_HUB",
}
"""Which environment variable gives which argument of `BulkClient`."""

_REQUIRED = ("base_url", "element_token", "user_secret")


class BulkClient:
    """A connector instance of SAP Open Connectors (Cloud Elements), or a fake of one.

    `base_url` ends in `/elements/api-v2`; `hub` puts `/hubs/{hub}` into each path, which the service ignores.
    `timeout` is seconds for connecting and reading, or a pair of them. `session`, `clock` (seconds, only ever
    forward) and `sleep` (seconds) can be given; a session given is not closed. Use it as a context manager or call
    `close()`.

    Reading calls are repeated up to four times on 429, 502, 503, 504 and lost connections; `Retry-After` is obeyed
    up to two minutes. Calls that change something are made once. Any method can raise `Refused`, `ConnectionFailed`
    and `UnexpectedAnswer`; the constructor raises `ConfigurationError`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        element_token: str,
        user_secret: str,
        organization_secret: str | None = None,
        hub: str | None = None,
        session: requests.Session | None = None,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] | None = None,
        timeout: Timeout = (10.0, 120.0),
    ) -> None:
        __tracebackhide__ = True  # pytest prints arguments in tracebacks
        self._connection = Connection(
            base_url,
            Credentials(
                element_token=element_token, user_secret=user_secret, organization_secret=organization_secret
            ),
            hub=hub,
            session=session,
            timeout=timeout,
            timekeeper=Timekeeper(clock, sleep),
        )
        self._time = self._connection.time
        self._answered: set[str] = set()

    @classmethod
    def from_environment(cls, env: Mapping[str, str] = os.environ, **options: Any) -> Self:
        """A client for what the variables `OPEN_CONNECTORS_...` say (see `ENVIRONMENT`); empty ones count as unset.

        `options` are passed on and win. Raises `ConfigurationError` naming every variable that is missing.
        """
        __tracebackhide__ = True  # pytest prints arguments in tracebacks
        found = {name: env[variable] for name, variable in ENVIRONMENT.items() if env.get(variable)}
        settings = found | {name: value for name, value in options.items() if value is not None}
        require_settings(settings)
        return cls(**settings)

    def __repr__(self) -> str:
        return f"BulkClient({self._connection!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, if the session is the client's own."""
        self._connection.close()

    def objects(self) -> list[str]:
        """The names of the objects that the connector knows (protocol.md 8)."""
        return [_name(item) for item in items_of(self._connection.get("objects"))]

    def metadata(self, object: str) -> list[FieldInfo]:
        """The fields of an object; raises `NotFound` for one that there is not."""
        return self._connection.get("objects", object, "metadata").read(FieldInfo.list_from_body)

    def upload(
        self,
        object: str,
        file: Source,
        metadata: Mapping[str, Any] | None = None,
        callback_url: str | None = None,
        progress: Progress | None = None,
        *,
        file_name: str | None = None,
    ) -> Job:
        """Upload a file of rows and return the job that will take them in. Sent once, read while it is sent.

        `file` is a path, a file open for reading bytes, bytes, or chunks of bytes; a CSV with a header row in UTF-8,
        or JSON if `metadata` says `{"format": "json"}`. `metadata` are the options of protocol.md 5, such as
        `bulkUploadRecordSize`, `action`, `identifierFieldName`. `callback_url` is told of the end. `progress` is
        called with the bytes sent and their total (None if unknown).

        Raises `UploadOutcomeUnknown` when the answer got lost, `SourceChanged` when the file did not stay as it was.
        """
        content = FileContent.of(file, file_name)
        form = ACCEPT.get(str((metadata or {}).get("format", "csv")), ACCEPT["csv"])
        options = json.dumps(metadata) if metadata is not None else None
        body = multipart_body(content, form, options, progress)
        headers = {"Content-Type": body.content_type}
        if callback_url:
            headers[CALLBACK_HEADER] = callback_url
        attempt = UploadAttempt(object, content.name, content.size, metadata, self._time.now())
        try:
            job = self._new_job(
                self._connection.send_once("POST", "bulk", object, headers=headers, body=body)
            )
        except OutcomeUnknown as lost:
            raise UploadOutcomeUnknown(str(lost), attempt) from None
        except Refused as refusal:
            if refusal.status < 500:
                raise
            # A server that failed may have failed after it made the job, and a gateway does not know.
            raise UploadOutcomeUnknown(in_doubt(refusal), attempt, refusal) from None
        self._answered.add(job.id)
        return job

    def find_upload(self, attempt: UploadAttempt) -> JobStatusReport | None:
        """The job that came of an upload whose answer got lost, None if none did.

        Looks through the service's list of jobs and asks for the status of each that can be it; `attempt` comes from
        `UploadOutcomeUnknown`. Raises `AmbiguousUpload` when two jobs fit equally, or when one fits that can be of an
        earlier upload, as the service tells no times and the attempt had no `callback-payload` of its own.
        """
        took = self._time.now() - attempt.began
        found, dated = [], True
        for listed, server_now in pages(
            self._connection, "bulk", "jobs", params={"where": "job_direction='UPLOAD'"}
        ):
            report = JobStatusReport.from_body(listed)
            not_before = None if server_now is None else server_now - took
            if report.id in self._answered or not could_be(attempt, report, not_before):
                continue
            status = self.status(report)
            if could_be(attempt, status, not_before):
                found.append(status)
                dated = dated and not_before is not None and bool(report.created or status.created)
        return the_only(attempt, found, dated=dated)

    def status(self, job: JobReference) -> JobStatusReport:
        """The present status of a job; raises `NotFound` for an unknown one."""
        return self._status(job)

    def _status(self, job: JobReference, attempts: int = ATTEMPTS) -> JobStatusReport:
        answer = self._connection.get("bulk", job_id(job), "status", attempts=attempts)
        return answer.read(lambda body: JobStatusReport.from_body(body, job_id(job)))

    def wait(
        self,
        job: JobReference,
        timeout: float | None = 3600.0,
        interval: float = 1.0,
        on_poll: Callable[[JobStatusReport], None] | None = None,
        *,
        longest_interval: float = 30.0,
    ) -> JobStatusReport:
        """Ask for the status until the job has ended, well or badly; `.check()` the report that comes back.

        Asks at once, then after `interval` seconds, then at growing intervals up to `longest_interval` (a twentieth
        of a second at least), and a last time when `timeout` seconds have passed (None: no limit). Refusals that pass
        (429, 502, 503, 504) and lost connections are waited out, with `Retry-After` obeyed. A word nobody documents
        counts as running and warns `UnknownStatus` once. `on_poll` gets each report.

        Raises `WaitTimedOut` with the last report, `ConfigurationError` for a negative time.
        """
        checked_seconds(timeout=timeout, interval=interval, longest_interval=longest_interval)
        return poll(
            job_id(job),
            lambda: self._status(job, attempts=1),
            self._time,
            timeout,
            delays(interval, longest_interval),
            on_poll,
        )

    def errors(self, job: JobReference, page_size: int | None = None) -> Iterator[RowError]:
        """The failed rows of a job, page after page while they are asked for."""
        found = pages(self._connection, "bulk", job_id(job), "errors", params={"pageSize": page_size})
        return (RowError.from_item(item) for item, _ in found)

    def cancel(self, job: JobReference) -> None:
        """Ask for a job to be cancelled; `wait` sees it end. Raises `BadRequest` if it had ended.

        Raises `OutcomeUnknown` when the answer got lost; the job's status tells.
        """
        self._connection.send_once("PUT", "bulk", job_id(job), "cancel")

    def query(self, q: str, callback_url: str | None = None) -> Job:
        """Start a job that selects rows: `select * from contact where ...`; fetch them with `download`.

        Raises `BadRequest` for a query that cannot be parsed, `OutcomeUnknown` when the answer got lost (asking again
        does no harm but a second job).
        """
        headers = {CALLBACK_HEADER: callback_url} if callback_url else {}
        return self._new_job(
            self._connection.send_once("POST", "bulk", "query", params={"q": q}, headers=headers)
        )

    @overload
    def download(self, job: JobReference, object: str, format: Format = "csv") -> Iterator[Row]: ...

    @overload
    def download(
        self,
        job: JobReference,
        object: str,
        format: Format = "csv",
        *,
        to: str | os.PathLike[str] | BinaryIO,
        progress: Progress | None = None,
    ) -> None: ...

    def download(
        self,
        job: JobReference,
        object: str,
        format: Format = "csv",
        *,
        to: str | os.PathLike[str] | BinaryIO | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Row] | None:
        """The rows of a finished job, streamed: one dictionary each, or with `to` the file as it is.

        CSV values are texts; JSON lines, arrays, single objects and an empty body all give rows. `to` is a path, whose
        file is replaced when all of the new one is there, or a file open for writing bytes. `progress` is called with
        the bytes written (the total is not known).

        Raises `ConnectionFailed` when the body breaks off; nothing is left of a half file then.
        """
        segments = ("bulk", job_id(job), object)
        if to is None:
            return self._rows(segments, format)
        with self._connection.stream(*segments, accept=ACCEPT[format]) as chunks:
            if isinstance(to, (str, os.PathLike)):
                save(chunks, Path(to), progress)
            else:
                pour(chunks, to, progress)
        return None

    def _rows(self, segments: tuple[str, ...], format: Format) -> Iterator[Row]:
        with self._connection.stream(*segments, accept=ACCEPT[format]) as chunks:
            yield from (csv_rows if format == "csv" else json_rows)(chunks)

    def records(self, object: str, where: str | None = None, page_size: int | None = None) -> Iterator[Row]:
        """The records of an object that match `where` (`C_Company='Acme'`), page after page."""
        found = pages(self._connection, object, params={"where": where or None, "pageSize": page_size})
        return (record for record, _ in found)

    def jobs(self, where: str | None = None, page_size: int | None = None) -> Iterator[JobStatusReport]:
        """The jobs of the instance, page after page; `where` as in `job_status='RUNNING'` (protocol.md 3.5)."""
        found = pages(
            self._connection, "bulk", "jobs", params={"where": where or None, "pageSize": page_size}
        )
        return (JobStatusReport.from_body(item) for item, _ in found)

    def _new_job(self, answer: Answer) -> Job:
        """The job of a stub. One that cannot be read leaves the outcome as unknown as one that got lost."""
        try:
            return answer.read(Job.from_body)
        except UnexpectedAnswer as error:
            raise OutcomeUnknown(in_doubt(error)) from None


def require_settings(settings: Mapping[str, object]) -> None:
    """Raise `ConfigurationError` naming every variable whose setting is missing."""
    missing = [ENVIRONMENT[name] for name in _REQUIRED if not settings.get(name)]
    if missing:
        raise ConfigurationError(
            f"set {' and '.join(missing)}, which say which connector instance to talk to"
        )


def _name(item: object) -> str:
    """Hydrogen lists names, Helium objects with a name (protocol.md 8)."""
    return str(item["name"]) if isinstance(item, dict) else str(item)
