"""A thin client of the Open Connectors bulk API: the same against the fake and the real service.

    with BulkClient.from_environment() as client:
        job = client.upload("contact", "contacts.csv", {"bulkUploadRecordSize": 1})
        client.wait(job).check()

What it raises:

    BulkClientError
    |-- ConfigurationError        a setting is missing or cannot be used; nothing was sent
    |-- SourceChanged             the file changed while it was sent; no job came of it
    |-- ConnectionFailed          no answer to a call that can safely be made again
    |-- OutcomeUnknown            no answer to a call that changes something
    |   `-- UploadOutcomeUnknown  ... to an upload; `find_upload` looks for its job
    |-- AmbiguousUpload           more than one job can be the lost upload
    |-- UnexpectedAnswer          an answer that cannot be read
    |-- Refused                   the service said no: status, message, provider_message, request_id
    |   |-- BadRequest 400, Unauthorized 401, Forbidden 403, NotFound 404
    |   `-- RateLimited 429, Unavailable 502 503 504: retry_after
    |-- JobUnsuccessful           raised by JobStatusReport.check() only
    |   |-- JobFailed             the job did not end well
    |   `-- RowsFailed            it did, and left rows out
    `-- WaitTimedOut              the job had not ended in time (a TimeoutError as well)

Needs `requests`; nothing in this project imports it before it is used.
"""

from .bulk_client import BulkClient
from .errors import (
    AmbiguousUpload,
    BadRequest,
    BulkClientError,
    ConfigurationError,
    ConnectionFailed,
    Forbidden,
    JobFailed,
    JobUnsuccessful,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RowsFailed,
    SourceChanged,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
    UnknownStatus,
    UploadOutcomeUnknown,
    WaitTimedOut,
)
from .lost_upload import UploadAttempt
from .reports import FieldInfo, Job, JobStatusReport, RowError
from .signature import verify_signature

__all__ = [
    "AmbiguousUpload",
    "BadRequest",
    "BulkClient",
    "BulkClientError",
    "ConfigurationError",
    "ConnectionFailed",
    "FieldInfo",
    "Forbidden",
    "Job",
    "JobFailed",
    "JobStatusReport",
    "JobUnsuccessful",
    "NotFound",
    "OutcomeUnknown",
    "RateLimited",
    "Refused",
    "RowError",
    "RowsFailed",
    "SourceChanged",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "UnknownStatus",
    "UploadAttempt",
    "UploadOutcomeUnknown",
    "WaitTimedOut",
    "verify_signature",
]
