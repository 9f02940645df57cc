"""Queries and the files they write."""

from __future__ import annotations

from ..case import Changes, case
from ..facts import kind, one_of
from ..subject import MISSING_OBJECT, Row, Subject, as_text, json_rows
from .uploads import ENDED_WELL, NEEDS

RECORDS = Changes.RECORDS


def _queried(at: Subject, count: int = 2) -> tuple[list[Row], str]:
    """Rows uploaded, and a finished job that selects their key and mark."""
    rows = at.rows(count)
    at.finish(at.upload(rows, bulkUploadRecordSize=1))
    job = at.client.query(f"select {at.settings.key},{at.settings.writable} from {at.object} where {at.mine}")
    at.finish(job)
    return rows, job.id


@case(
    "[live-test] every churros bulk check; [docs] DP release note 2.170 (protocol 3.2, 3.4)",
    needs=NEEDS,
    changes=RECORDS,
)
def a_query_counts_what_it_found(at: Subject) -> None:
    """The stub says CREATED; the ended job counts the rows of its file."""
    at.finish(at.upload(at.rows(2), bulkUploadRecordSize=1))
    answer = at.send("POST", "/bulk/query", params={"q": f"select * from {at.object} where {at.mine}"})
    at.saw("status", answer.status, 200)
    at.saw("word", answer.json().get("status"), "CREATED")
    status = at.finish(answer.json()["id"])
    at.saw("final word", status["status"], ENDED_WELL)
    at.saw("recordsCount", status.get("recordsCount"), 2)
    at.saw("job_direction", status.get("job_direction"), "DOWNLOAD")


@case(
    "[live-test] CH17 platform/bulk/bulk.js, core/tools.js csvParse; CH18 elements/sfdc (protocol 3.7)",
    needs=NEEDS,
    changes=RECORDS,
)
def results_come_as_csv(at: Subject) -> None:
    """Content type without a charset, columns as selected, LF, a final line end."""
    rows, job = _queried(at)
    answer = at.get(f"/bulk/{job}/{at.object}", {"Accept": "text/csv"})
    at.saw("content type", answer.headers.get("content-type"), "text/csv")
    text = answer.body.decode()
    lines = text.split("\n")
    names = [at.settings.key, at.settings.writable]
    at.saw("header is as selected", lines[0] == ",".join(names), True)
    at.saw("line ends", ["\r" in text, text.endswith("\n")], [False, True])
    wanted = sorted([str(row[name]) for name in names] for row in rows)
    at.saw("rows as uploaded", sorted(line.split(",") for line in lines[1:-1]) == wanted, True)


@case(
    "[live-test] CH17 core/suite.js (lines), CH18 elements/zendesk/bulk.js (array); CHI #1440 (protocol 3.7)",
    needs=NEEDS,
    changes=RECORDS,
)
def results_come_as_json(at: Subject) -> None:
    """JSON lines or an array, both as application/json."""
    rows, job = _queried(at)
    answer = at.get(f"/bulk/{job}/{at.object}", {"Accept": "application/json"})
    at.saw("content type is JSON", "application/json" in answer.headers.get("content-type", ""), True)
    form, found = json_rows(answer.body)
    at.saw("form", form, one_of("lines", "array"))
    names = [at.settings.key, at.settings.writable]
    at.saw("rows as uploaded", as_text(found, names) == as_text(rows, names), True)


@case("[client] comment in UC util/HTTPUtil.java (protocol 3.7)", needs=NEEDS, changes=RECORDS)
def results_without_accept_are_csv(at: Subject) -> None:
    """Who does not say what he accepts gets CSV."""
    _, job = _queried(at, 1)
    answer = at.get(f"/bulk/{job}/{at.object}", {"Accept": "*/*"})
    at.saw("content type", answer.headers.get("content-type"), "text/csv")


@case("[live-test] CH18 elements/sfdc/bulk.js (protocol 3.7)", needs=NEEDS, changes=RECORDS)
def the_object_of_a_result_is_not_checked(at: Subject) -> None:
    """A job's file is there under another object's name."""
    _, job = _queried(at, 1)
    at.saw("status", at.get(f"/bulk/{job}/{MISSING_OBJECT}").status, 200)


@case("[client] BIO handles an empty body (protocol 3.7)", needs=("object", "writable"), changes=Changes.JOBS)
def no_rows_are_an_empty_json_body(at: Subject) -> None:
    """A query that finds nothing."""
    job = at.empty_query()
    status = at.finish(job)
    at.saw("recordsCount", status.get("recordsCount"), 0)
    answer = at.get(f"/bulk/{job.id}/{at.object}", {"Accept": "application/json"})
    at.saw("body", answer.body.decode().strip(), one_of("", "[]"))


@case(
    "[live-test] CH17 elements/sfdc/contacts.js, freshdeskv2/contacts.js; CHI #651 (protocol 3.2)",
    needs=("object",),
)
def a_malformed_query_is_400(at: Subject) -> None:
    """A select without from."""
    answer = at.send("POST", "/bulk/query", params={"q": f"select * {at.object}"})
    at.refused(answer, 400)
    at.saw("says Error parsing query", "Error parsing query" in answer.json().get("message", ""), True)


@case("[inferred] (protocol 9.4)", changes=Changes.JOBS)
def a_query_of_an_unknown_object_is_400(at: Subject) -> None:
    """The query is parsed when the job is made."""
    at.refused(at.send("POST", "/bulk/query", params={"q": f"select * from {MISSING_OBJECT}"}), 400)


@case("[docs] CEH/bulk-faq, OCH/bulk-faq; body [swagger] ECW (protocol 3.6)", needs=NEEDS, changes=RECORDS)
def a_download_must_be_fetched_in_its_format(at: Subject) -> None:
    """POST /bulk/download names a format; another Accept is 400."""
    at.finish(at.upload(at.rows(1)))
    body = {"objectName": at.object, "format": "application/json", "where": at.mine}
    stub = at.send("POST", "/bulk/download", body).json()
    at.saw("kind of id", kind(stub.get("id")), "text")
    at.finish(stub["id"])
    at.saw("as asked", at.get(f"/bulk/{stub['id']}/{at.object}", {"Accept": "application/json"}).status, 200)
    at.refused(at.get(f"/bulk/{stub['id']}/{at.object}", {"Accept": "text/csv"}), 400)
