"""What can go wrong, as types: the tree is in the package's docstring.

No exception holds a header, a request or a response of `requests`, and none is chained to an exception that does:
whatever prints one of these prints no secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .lost_upload import UploadAttempt
    from .reports import JobStatusReport


def in_doubt(what: object) -> str:
    """The message of an `OutcomeUnknown`."""
    return f"{what}; the service may have carried it out"


class BulkClientError(Exception):
    """Everything that this client raises on purpose."""


class ConfigurationError(BulkClientError):
    """A setting is missing or cannot be used; nothing was sent."""


class SourceChanged(BulkClientError):
    """The file grew or shrank while it was sent. The body stayed incomplete, so no job can come of it."""


class ConnectionFailed(BulkClientError):
    """No answer, or one that broke off, to a call that can safely be made again."""


class OutcomeUnknown(BulkClientError):
    """A call that changes something was sent and its answer got lost: the service may have carried it out."""


class UploadOutcomeUnknown(OutcomeUnknown):
    """An upload was sent, and whether a job came of it is not known.

    `attempt` is what `find_upload` needs to look for the job, `reason` what happened, without the advice. `refusal` is
    the service's own failure (5xx) if that is what came instead of an answer, None if nothing readable did.
    """

    def __init__(self, message: str, attempt: UploadAttempt, refusal: Refused | None = None) -> None:
        super().__init__(f"{message}: look with find_upload(error.attempt) before uploading again")
        self.attempt = attempt
        self.reason = message
        self.refusal = refusal


class AmbiguousUpload(BulkClientError):
    """More than one job can be the lost upload; `candidates` are their reports."""

    def __init__(self, message: str, candidates: tuple[JobStatusReport, ...]) -> None:
        super().__init__(message)
        self.candidates = candidates


class UnexpectedAnswer(BulkClientError):
    """An answer that this client cannot read: not JSON, cut off, or of another shape."""


class Refused(BulkClientError):
    """The service said no. `status` is the HTTP status, the texts are the service's own (protocol.md 2.3).

    `retry_after` is the wait in seconds that the answer asked for, None where it asked for none.
    """

    def __init__(
        self,
        call: str,
        status: int,
        message: str,
        *,
        provider_message: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(call, status, message)
        self.call = call
        self.status = status
        self.message = message
        self.provider_message = provider_message
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        provider = f" (provider: {self.provider_message})" if self.provider_message else ""
        request = f" [request {self.request_id}]" if self.request_id else ""
        return f"{self.call} was answered {self.status}: {self.message}{provider}{request}"


class BadRequest(Refused):
    """400: often a missing parameter or a query that cannot be parsed."""


class Unauthorized(Refused):
    """401: one of the secrets is wrong, or the instance was deleted."""


class Forbidden(Refused):
    """403: the instance is disabled."""


class NotFound(Refused):
    """404: no such job, object or record."""


class RateLimited(Refused):
    """429: too many calls, or too large a payload (protocol.md 10)."""


class Unavailable(Refused):
    """502, 503 or 504: the service or its provider does not answer just now."""


REFUSALS: dict[int, type[Refused]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
"""Which refusal stands for which HTTP status; every other one is plain `Refused`."""


class JobUnsuccessful(BulkClientError):
    """`JobStatusReport.check()` found a job that did not take every row in; `report` says more."""

    def __init__(self, message: str, report: JobStatusReport) -> None:
        super().__init__(message)
        self.report = report


class JobFailed(JobUnsuccessful):
    """The job ended without success (aborted, error, cancelled), or has not ended at all."""


class RowsFailed(JobUnsuccessful):
    """The job ended well and left rows out: `COMPLETED` is no promise about rows (protocol.md 13, no. 2)."""


class WaitTimedOut(BulkClientError, TimeoutError):
    """The job had not ended when the time was up; `report` is the last status seen, None if there was none."""

    def __init__(self, message: str, report: JobStatusReport | None) -> None:
        super().__init__(message)
        self.report = report


class UnknownStatus(UserWarning):
    """The service used a status word that nobody documents; it is taken for "still running"."""
