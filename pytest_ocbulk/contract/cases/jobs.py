"""Jobs: looked up, listed, cancelled."""

from __future__ import annotations

from ..case import Changes, case
from ..facts import one_of
from ..subject import Subject

NEEDS = ("object", "writable")
NEW_NAMES = {
    "id", "status", "instanceId", "object_name", "job_direction", "job_query", "record_count", "error_count",
    "fileFormat", "createdDate", "completion_time", "job_state", "job_reset_attempt", "notification_url",
}  # fmt: skip
"""The newer generation of the list's names (protocol.md 3.5)."""


@case("[inferred] 404 by the normalized table (protocol 2.3, 14)")
def an_unknown_job_is_404(at: Subject) -> None:
    """The status of a job that there is not."""
    at.refused(at.get("/bulk/999999999999/status"), 404)


@case(
    "[live-test] CH17 platform/bulk/bulk.js: CANCELLED within 3 seconds (protocol 3.10)",
    needs=NEEDS,
    changes=Changes.JOBS,
)
def a_running_job_can_be_cancelled(at: Subject) -> None:
    """PUT cancel answers 200, the status then reads CANCELLED."""
    job = at.empty_query().id
    answer = at.send("PUT", f"/bulk/{job}/cancel")
    status = at.finish(job)
    if answer.status != 200 and status["status"] in ("COMPLETE", "COMPLETED"):
        at.skip("the job had ended before it could be cancelled")
    at.saw("status", answer.status, 200)
    at.saw("final word", status["status"], one_of("CANCELLED", "CANCELED"))


@case("[inferred] (protocol 3.10)", needs=NEEDS, changes=Changes.JOBS)
def an_ended_job_cannot_be_cancelled(at: Subject) -> None:
    """Cancel of a finished job is 400."""
    job = at.empty_query().id
    at.finish(job)
    at.refused(at.send("PUT", f"/bulk/{job}/cancel"), 400)


@case("[swagger] ECW, OLE adpvantage (protocol 3.5)", needs=NEEDS, changes=Changes.JOBS)
def jobs_are_listed(at: Subject) -> None:
    """A job made just now stands in the list, under names that the description knows."""
    job = at.empty_query().id
    at.finish(job)
    answer = at.get("/bulk/jobs", where=f"object_name='{at.object}'")
    at.saw("status", answer.status, 200)
    listed = [item for item in answer.json() if str(item.get("id", item.get("job_id"))) == job]
    at.saw("the job is listed", len(listed), 1)
    at.saw("names that the description does not have", sorted(set(listed[0]) - NEW_NAMES), [])
    at.saw("counts", [listed[0].get("record_count"), listed[0].get("error_count")], [0, 0])


@case(
    "[swagger] where on object_name, job_status, job_direction, record_count (protocol 3.5)",
    needs=NEEDS,
    changes=Changes.JOBS,
)
def jobs_can_be_filtered(at: Subject) -> None:
    """Only downloads, then only uploads."""
    job = at.empty_query().id
    at.finish(job)

    def among(where: str) -> bool:
        return any(str(item.get("id")) == job for item in at.get("/bulk/jobs", where=where).json())

    at.saw("among the downloads", among("job_direction='DOWNLOAD'"), True)
    at.saw("among the uploads", among("job_direction='UPLOAD'"), False)


@case("[swagger] pageSize, nextPage (protocol 3.5)", needs=NEEDS, changes=Changes.JOBS)
def jobs_come_in_pages(at: Subject) -> None:
    """Two jobs, one on each page."""
    for _ in range(2):
        at.finish(at.empty_query().id)
    first = at.get("/bulk/jobs", pageSize=1)
    token = first.headers.get("elements-next-page-token")
    second = at.get("/bulk/jobs", pageSize=1, nextPage=token or "")
    at.saw("items on the pages", [len(first.json()), len(second.json())], [1, 1])
    at.saw("the pages differ", first.json() != second.json(), True)
