"""The verdicts as methods of the handle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..evidence import Evidence
    from .judging import Which


class Judge:
    """Judges the client by the evidence of one fake. Each verdict raises `AssertionError`, with the facts.

    `OcBulkError` is raised where there is nothing to judge: a verdict that can only be good would say nothing.
    """

    evidence: Evidence

    def assert_no_duplicate_uploads(self) -> None:
        """Fail if the same file was uploaded twice, or two files that create rows of the same key.

        The failure says which rows, by which jobs, how far apart, and whether the first answer was lost. Rows and jobs
        that had failed may be uploaded again, and different upserts of one key are no duplicates.
        """
        __tracebackhide__ = True
        from .duplicates import assert_no_duplicate_uploads

        assert_no_duplicate_uploads(self.evidence)

    def assert_errors_were_read(self, job: Which = None) -> None:
        """Fail if a job (all, or one by its id) has failed rows and not all pages of its `/errors` were fetched."""
        __tracebackhide__ = True
        from .error_reading import assert_errors_were_read

        assert_errors_were_read(self.evidence, job)

    def assert_polite_polling(
        self,
        *,
        min_interval: float | str = "1s",
        max_polls: int | None = None,
        stops_at_terminal: bool = True,
        honours_retry_after: bool = True,
        job: Which = None,
    ) -> None:
        """Fail if the status of a job was asked for too soon, too often, or after its end was shown.

        `min_interval` is the shortest pause between two looks at a job by the fake's clock, `max_polls` the number of
        looks at each. With `honours_retry_after` no call may be repeated before the `Retry-After` of its answer is
        over.
        """
        __tracebackhide__ = True
        from .polling import assert_polite_polling

        assert_polite_polling(
            self.evidence,
            min_interval=min_interval,
            max_polls=max_polls,
            stops_at_terminal=stops_at_terminal,
            honours_retry_after=honours_retry_after,
            job=job,
        )

    def assert_job_not_abandoned(self, job: Which = None) -> None:
        """Fail if a job (all, or one by its id) was neither watched to its end, nor announced, nor cancelled."""
        __tracebackhide__ = True
        from .abandonment import assert_job_not_abandoned

        assert_job_not_abandoned(self.evidence, job)

    def assert_signature_checked(
        self,
        receiver: str | Callable[[bytes, Mapping[str, str]], int],
        *,
        key: str | None = None,
        body: bytes | None = None,
    ) -> None:
        """Send a receiver one well signed callback and four badly signed ones, and fail if it takes one of those.

        `receiver` is the URL it listens at, or a function from body and headers to the status it answers. `key` is
        that of the instance's configuration unless given; `body` is what is announced, by default the last job.
        """
        __tracebackhide__ = True
        from .signatures import assert_signature_checked

        assert_signature_checked(self.evidence, receiver, key=key, body=body)

    def warnings(self) -> list[str]:
        """What the client certainly did wrong so far, one line each; empty when nothing is certain."""
        from . import warnings

        return warnings(self.evidence)
