"""Uploads: what they answer, what becomes of the rows, and what is refused."""

from __future__ import annotations

import json

from ..case import Changes, case
from ..facts import kind, kinds, one_of
from ..subject import MISSING_OBJECT, Subject, as_text, csv_of

NEEDS = ("object", "key", "writable")
ENDED_WELL = one_of("COMPLETE", "COMPLETED")
STATUS_FIELDS = {
    "id", "status", "recordsCount", "recordsFailedCount", "error", "infoMessage", "message", "object_name",
    "job_direction", "instanceId", "fileFormat", "fileSize", "metadata", "vendorJobId", "bulk_start_time",
    "bulk_finish_time", "requestId",
}  # fmt: skip
"""The closed table of the status body (protocol.md 3.4)."""


@case(
    "[live-test] CH17 platform/bulk/bulk.js; [docs] OCH/using-bulk (protocol 3.1)",
    needs=NEEDS,
    changes=Changes.RECORDS,
)
def an_upload_answers_a_stub(at: Subject) -> None:
    """200 with id, instanceId and status CREATED, and no message."""
    answer = at.form(at.object, file=("a.csv", csv_of(at.rows(1))))
    at.saw("status", answer.status, 200)
    at.saw("fields of the body", answer.keys, ["id", "instanceId", "status"])
    at.saw("word", answer.json().get("status"), "CREATED")
    at.saw("kind of id", kind(answer.json().get("id")), "text")
    at.finish(answer.json()["id"])


@case(
    "word [docs] DP _includes/bulk-apis.md, [live-test] about 25 churros bulk checks; fields [client] UC, BIO,"
    " [live-test] churros (protocol 3.4, 4)",
    needs=NEEDS,
    changes=Changes.RECORDS,
)
def an_upload_ends_well(at: Subject) -> None:
    """The status body of a finished job: the final word, the counts, and fields that clients know."""
    rows = at.rows(2)
    status = at.finish(at.upload(rows, bulkUploadRecordSize=1))
    at.saw("final word", status["status"], ENDED_WELL)
    at.saw("recordsCount", status.get("recordsCount"), 2)
    at.saw("recordsFailedCount", status.get("recordsFailedCount"), 0)
    at.saw("fields that no client knows", sorted(set(status) - STATUS_FIELDS), [])
    at.saw("kinds of values are scalars", {"array", "object"}.isdisjoint(kinds(status.values())), True)
    at.saw("has an error", "error" in status, False)
    at.saw("object_name is the object", status.get("object_name") == at.object, True)
    at.saw("job_direction", status.get("job_direction"), "UPLOAD")
    at.saw("fileFormat", status.get("fileFormat"), "csv")
    at.saw(
        "kinds of times", kinds([status.get("bulk_start_time"), status.get("bulk_finish_time")]), ["number"]
    )


@case(
    "[docs] both seed pages, 'find your newly created contacts' (protocol 3.3)",
    needs=NEEDS,
    changes=Changes.RECORDS,
)
def uploaded_rows_become_records(at: Subject) -> None:
    """Every row is found, with its values."""
    rows = at.rows(3)
    at.finish(at.upload(rows, bulkUploadRecordSize=1))
    found = at.found()
    at.saw("records found", len(found), 3)
    names = list(rows[0])
    at.saw("values as uploaded", as_text(found, names) == as_text(rows, names), True)


@case(
    "[live-test] CH18 elements/pardot/bulk.js; items [client] EC JobHistoryController.js (protocol 3.3, 3.9)",
    needs=(*NEEDS, "bad"),
    changes=Changes.RECORDS,
)
def a_bad_row_fails_alone_with_batches_of_one(at: Subject) -> None:
    """The job ends well all the same; the row is counted and has an error item."""
    job = at.upload([at.row(), at.row(**at.settings.bad), at.row()], bulkUploadRecordSize=1)
    status = at.finish(job)
    at.saw("final word", status["status"], ENDED_WELL)
    at.saw("recordsCount, failed rows included", status.get("recordsCount"), 3)
    at.saw("recordsFailedCount", status.get("recordsFailedCount"), 1)
    items = at.errors(job)
    at.saw("error items", len(items), 1)
    at.saw("fields of an item", sorted(items[0]), ["error", "response", "rowNum", "status"])
    at.saw("kind of its status", kind(items[0].get("status")), "text")
    at.saw("records found", len(at.found()), 2)


@case("[inferred] 1-based data rows (protocol 3.9)", needs=(*NEEDS, "bad"), changes=Changes.RECORDS)
def row_numbers_count_from_one(at: Subject) -> None:
    """The second data row is number 2."""
    job = at.upload([at.row(), at.row(**at.settings.bad)], bulkUploadRecordSize=1)
    at.finish(job)
    at.saw("rowNum of the second row", [item.get("rowNum") for item in at.errors(job)], [2])


@case(
    "[docs] OCH/microsoft-sql-server-bulk, note; DP _includes/Elements/Hubspot/bulk.md (protocol 5)",
    needs=(*NEEDS, "bad"),
    changes=Changes.RECORDS,
)
def a_batch_fails_as_a_whole(at: Subject) -> None:
    """One bad row takes the other two of its batch with it; the next batch is fine."""
    rows = at.rows(6)
    rows[1].update(at.settings.bad)
    status = at.finish(at.upload(rows, bulkUploadRecordSize=3))
    at.saw("recordsCount", status.get("recordsCount"), 6)
    at.saw("recordsFailedCount", status.get("recordsFailedCount"), 3)
    at.saw("records found", len(at.found()), 3)


@case("[live-test] CH17 platform/bulk/bulk.js, 'paged error retrieval' (protocol 3.3)", changes=Changes.JOBS)
def an_unknown_object_is_accepted_and_fails_row_by_row(at: Subject) -> None:
    """The job is made, ends well, and every row has failed."""
    answer = at.form(MISSING_OBJECT, file=("a.csv", csv_of([{"a": n} for n in range(3)])))
    at.saw("status", answer.status, 200)
    status = at.finish(answer.json()["id"])
    at.saw("final word", status["status"], ENDED_WELL)
    at.saw("recordsCount", status.get("recordsCount"), 3)
    at.saw("recordsFailedCount", status.get("recordsFailedCount"), 3)


@case("[live-test] CH17 platform/bulk/bulk.js: 37 failures, pageSize 30 (protocol 3.9)", changes=Changes.JOBS)
def errors_come_in_pages(at: Subject) -> None:
    """30 items with a token, then 7 without one."""
    job = at.upload([{"a": n} for n in range(37)], object=MISSING_OBJECT)
    at.finish(job)
    first = at.get(f"/bulk/{job.id}/errors", pageSize=30)
    token = first.headers.get("elements-next-page-token")
    at.saw(
        "items of the first page",
        [len(first.json()), first.headers.get("elements-returned-count")],
        [30, "30"],
    )
    at.saw("the first page has a token", token is not None, True)
    last = at.get(f"/bulk/{job.id}/errors", pageSize=30, nextPage=token or "")
    at.saw(
        "items of the last page", [len(last.json()), last.headers.get("elements-returned-count")], [7, "7"]
    )
    at.saw("the last page has a token", "elements-next-page-token" in last.headers, False)
    numbers = [item.get("rowNum") for item in (*first.json(), *last.json())]
    at.saw("rows are told once each", len(set(numbers)), 37)


@case("[live-test] CH17 platform/formulas/executions.js (protocol 3.9)", needs=NEEDS, changes=Changes.RECORDS)
def no_failed_rows_are_an_empty_list(at: Subject) -> None:
    """The errors of a clean job."""
    job = at.upload(at.rows(1))
    at.finish(job)
    answer = at.get(f"/bulk/{job.id}/errors")
    at.saw("status", answer.status, 200)
    at.saw("body", answer.json(), [])


@case(
    "[docs] DP marketo bulk.md, guides/bulk/upload.md; [live-test] CH17 elements/eloqua, marketo (protocol 5)",
    needs=(*NEEDS, "optional"),
    changes=Changes.RECORDS,
)
def an_upsert_changes_what_is_there(at: Subject) -> None:
    """The same rows again with another value: no new records, the new value."""
    rows, key = at.rows(2), at.settings.key
    at.finish(at.upload(rows, action="upsert", identifierFieldName=key))
    changed = [{**row, at.settings.optional: "changed"} for row in rows]
    status = at.finish(at.upload(changed, action="upsert", identifierFieldName=key))
    at.saw("recordsFailedCount", status.get("recordsFailedCount"), 0)
    found = at.found()
    at.saw("records found", len(found), 2)
    at.saw("values", sorted({str(record.get(at.settings.optional)) for record in found}), ["changed"])


@case(
    "[swagger] one object per line; [docs] release 2.152 (protocol 6)", needs=NEEDS, changes=Changes.RECORDS
)
def json_lines_can_be_uploaded(at: Subject) -> None:
    """JSON, announced with format json."""
    lines = "".join(json.dumps(row) + "\n" for row in at.rows(2))
    answer = at.form(at.object, file=("a.json", lines.encode()), metaData=(None, b'{"format": "json"}'))
    status = at.finish(answer.json()["id"])
    at.saw("recordsCount", status.get("recordsCount"), 2)
    at.saw("recordsFailedCount", status.get("recordsFailedCount"), 0)
    at.saw("fileFormat", status.get("fileFormat"), "json")


@case("[live-test] CH17 platform/elementbuilder/bulk.js (protocol 3.3)")
def no_multipart_body_is_400(at: Subject) -> None:
    """An upload without a form."""
    at.refused(at.target.ask("POST", f"/bulk/{MISSING_OBJECT}", data=b""), 400)


@case("[inferred] (protocol 3.3)", changes=Changes.JOBS)
def a_form_without_a_file_is_400(at: Subject) -> None:
    """The part must be named file."""
    at.refused(at.form(MISSING_OBJECT, data=("a.csv", b"a\n1\n")), 400)


@case("[inferred] (protocol 3.3)", changes=Changes.JOBS)
def metadata_that_is_no_json_is_400(at: Subject) -> None:
    """The metaData part must hold a JSON object."""
    at.refused(at.form(MISSING_OBJECT, file=("a.csv", b"a\n1\n"), metaData=(None, b"{")), 400)


@case("[inferred] (protocol 3.3)", needs=NEEDS, changes=Changes.JOBS)
def a_header_alone_is_a_job_without_rows(at: Subject) -> None:
    """A CSV of its header line ends well with nothing done."""
    header = ",".join(at.row()) + "\n"
    status = at.finish(at.form(at.object, file=("a.csv", header.encode())).json()["id"])
    at.saw("final word", status["status"], ENDED_WELL)
    at.saw("counts", [status.get("recordsCount"), status.get("recordsFailedCount")], [0, 0])


@case("[inferred] (protocol 3.3)", needs=NEEDS, changes=Changes.JOBS)
def a_file_that_cannot_be_read_aborts_the_job(at: Subject) -> None:
    """JSON was announced, something else came."""
    answer = at.form(at.object, file=("a.json", b"{]"), metaData=(None, b'{"format": "json"}'))
    status = at.finish(answer.json()["id"])
    at.saw("final word", status["status"], "ABORTED")
    at.saw("kind of error", kind(status.get("error")), "text")
