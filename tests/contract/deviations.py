"""Fakes that are wrong on purpose, each in one way: a quirk, or a small patch at the seam."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from pytest_ocbulk.emulator.callbacks import SIGNATURE_HEADER, Callback
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.messages import Disconnect, Request, Response

Sees = frozenset[tuple[str, str]]
"""Pairs of a case and what it saw otherwise."""


def _same_request(request: Request) -> Request:
    return request


def _same_answer(request: Request, answer: Response) -> Response:
    return answer


def _same_callback(callback: Callback) -> Callback:
    return callback


@dataclass(frozen=True, slots=True)
class Deviation:
    """One way of being wrong, and what the contract must say of it, no more and no less."""

    name: str
    sees: Sees
    quirks: Mapping[str, object] = field(default_factory=dict)
    request: Callable[[Request], Request] = _same_request
    answer: Callable[[Request, Response], Response] = _same_answer
    callback: Callable[[Callback], Callback] = _same_callback
    posts: int = 1


class DeviantEmulator(Emulator):
    """An emulator with a deviation at its seam."""

    def __init__(self, deviation: Deviation) -> None:
        super().__init__()
        self._deviation = deviation

    def handle(self, request: Request) -> Response | Disconnect:
        answer = super().handle(self._deviation.request(request))
        if isinstance(answer, Disconnect):
            return answer
        if not isinstance(answer.body, bytes):
            answer = answer._replace(body=b"".join(answer.body))
        return self._deviation.answer(request, answer)

    def take_callbacks(self) -> list[Callback]:
        due = [self._deviation.callback(each) for each in super().take_callbacks()]
        return due * self._deviation.posts


# -- the patches --------------------------------------------------------------------------------------------


def _with_body(answer: Response, body: bytes) -> Response:
    return answer._replace(body=body, headers={**answer.headers, "Content-Length": str(len(body))})


def _with_json(answer: Response, change: Callable[[dict[str, Any]], object]) -> Response:
    assert isinstance(answer.body, bytes)
    body = json.loads(answer.body)
    change(body)
    return _with_body(answer, json.dumps(body).encode())


def _is(request: Request, method: str, last: str = "") -> bool:
    return request.method == method and (not last or request.segments[-1] == last)


def stub_with_message(request: Request, answer: Response) -> Response:
    made = _is(request, "POST") and request.segments[-2:-1] == ("bulk",) and answer.status == 200
    return _with_json(answer, lambda body: body.update(message=None)) if made else answer


def status_with_another_field(request: Request, answer: Response) -> Response:
    asked = _is(request, "GET", "status") and answer.status == 200
    return _with_json(answer, lambda body: body.update(batchId="7")) if asked else answer


def delete_204(request: Request, answer: Response) -> Response:
    return answer._replace(status=204) if _is(request, "DELETE") and answer.status == 200 else answer


def cancel_202(request: Request, answer: Response) -> Response:
    return answer._replace(status=202) if _is(request, "PUT", "cancel") and answer.status == 200 else answer


def forbidden_for_unauthorized(request: Request, answer: Response) -> Response:
    return answer._replace(status=403) if answer.status == 401 else answer


def csv_with_crlf(request: Request, answer: Response) -> Response:
    if answer.headers.get("Content-Type") != "text/csv" or not isinstance(answer.body, bytes):
        return answer
    return _with_body(answer, answer.body.replace(b"\n", b"\r\n"))


def csv_with_charset(request: Request, answer: Response) -> Response:
    if answer.headers.get("Content-Type") != "text/csv":
        return answer
    return answer._replace(headers={**answer.headers, "Content-Type": "text/csv;charset=UTF-8"})


def request_ids_differ(request: Request, answer: Response) -> Response:
    if answer.status < 400:
        return answer
    return _with_json(answer, lambda body: body.update(requestId="0" * 24))


def patch_is_put(request: Request) -> Request:
    return replace(request, method="PUT") if request.method == "PATCH" else request


def page_is_ignored(request: Request) -> Request:
    kept = {name: value for name, value in request.query.items() if name not in ("page", "nextPage")}
    return replace(request, query=kept)


def batches_of_one(request: Request) -> Request:
    body = request.body.read()
    request.body.seek(0)
    if b"bulkUploadRecordSize" not in body:
        return request
    return replace(request, body=BytesIO(body.replace(b'Size": 3', b'Size": 1')))


def signed_in_hex(callback: Callback) -> Callback:
    return callback._replace(headers={**callback.headers, SIGNATURE_HEADER: "sha256=" + "0" * 64})


def posted_without_counts(callback: Callback) -> Callback:
    body = {key: value for key, value in json.loads(callback.body).items() if not key.startswith("records")}
    return callback._replace(body=json.dumps(body).encode())


def _sees(*pairs: str) -> Sees:
    return frozenset((case, fact) for pair in pairs for case, _, fact in [pair.partition(": ")])


DEVIATIONS = (
    Deviation(
        "a stub has a message",
        _sees(
            "an_upload_answers_a_stub: fields of the body",
        ),
        answer=stub_with_message,
    ),
    Deviation(
        "a status body has another field",
        _sees(
            "an_upload_ends_well: fields that no client knows",
        ),
        answer=status_with_another_field,
    ),
    Deviation(
        "delete answers 204",
        _sees(
            "a_record_lives_and_dies: deleted",
        ),
        answer=delete_204,
    ),
    Deviation(
        "cancel answers 202",
        _sees(
            "a_running_job_can_be_cancelled: status",
        ),
        answer=cancel_202,
    ),
    Deviation(
        "wrong secrets are 403",
        _sees(
            "no_secrets_are_401: status",
            "a_wrong_element_token_is_401: status",
            "a_wrong_user_secret_is_401: status",
        ),
        answer=forbidden_for_unauthorized,
    ),
    Deviation(
        "CSV has CRLF",
        _sees(
            "results_come_as_csv: header is as selected",
            "results_come_as_csv: line ends",
            "results_come_as_csv: rows as uploaded",
        ),
        answer=csv_with_crlf,
    ),
    Deviation(
        "CSV has a charset",
        _sees(
            "results_come_as_csv: content type",
            "results_without_accept_are_csv: content type",
        ),
        answer=csv_with_charset,
    ),
    Deviation(
        "a refusal names another request",
        _sees(
            "every_answer_names_its_request: the same in a refusal's body",
        ),
        answer=request_ids_differ,
    ),
    Deviation(
        "PATCH empties what is not given",
        _sees(
            "a_record_lives_and_dies: changed",
            "patch_changes_only_what_is_given: the given field",
        ),
        request=patch_is_put,
    ),
    Deviation(
        "pages are all the first",
        _sees(
            "errors_come_in_pages: items of the last page",
            "errors_come_in_pages: the last page has a token",
            "errors_come_in_pages: rows are told once each",
            "jobs_come_in_pages: the pages differ",
            "two_pages_are_one_page_of_twice_the_size: the law holds",
        ),
        request=page_is_ignored,
    ),
    Deviation(
        "batches do not fail as a whole",
        _sees(
            "a_batch_fails_as_a_whole: recordsFailedCount",
            "a_batch_fails_as_a_whole: records found",
        ),
        request=batches_of_one,
    ),
    Deviation(
        "callbacks are signed otherwise",
        _sees(
            "callbacks_are_signed: it fits",
        ),
        callback=signed_in_hex,
    ),
    Deviation(
        "callbacks do not count",
        _sees(
            "the_end_of_a_job_is_posted: counts",
            "callbacks_are_signed: it fits",
        ),
        callback=posted_without_counts,
    ),
    Deviation(
        "callbacks are not posted",
        _sees(
            "the_end_of_a_job_is_posted: callbacks",
            "the_end_of_a_job_is_posted: the end",
            "callbacks_are_signed: callbacks",
            "callbacks_are_signed: the end",
        ),
        posts=0,
    ),
    Deviation(
        "callbacks are posted twice",
        _sees("the_end_of_a_job_is_posted: callbacks", "callbacks_are_signed: callbacks"),
        posts=2,
    ),
    Deviation(
        "counts leave failed rows out",
        _sees(
            "a_bad_row_fails_alone_with_batches_of_one: recordsCount, failed rows included",
            "a_batch_fails_as_a_whole: recordsCount",
            "an_unknown_object_is_accepted_and_fails_row_by_row: recordsCount",
        ),
        {"counts_include_failed": False},
    ),
    Deviation(
        "the last page has a token",
        _sees(
            "errors_come_in_pages: the last page has a token",
            "two_pages_are_one_page_of_twice_the_size: a token at the end",
        ),
        {"token_on_last_page": True},
    ),
    Deviation(
        "an unknown object is refused",
        _sees(
            "an_unknown_object_is_accepted_and_fails_row_by_row: status",
            "an_unknown_object_is_accepted_and_fails_row_by_row: the end",
            "errors_come_in_pages: the end",
        ),
        {"unknown_object": "refuse"},
    ),
    Deviation(
        "the hub is checked",
        _sees(
            "the_hub_in_the_path_is_ignored: status",
            "the_hub_in_the_path_is_ignored: same as without a hub",
        ),
        {"hub_checked": True},
    ),
    Deviation(
        "a malformed query is 500",
        _sees(
            "a_malformed_query_is_400: status",
        ),
        {"malformed_query_status": 500},
    ),
    Deviation(
        "nulls are shown",
        _sees(
            "empty_fields_are_missing_keys: the empty field is a key",
        ),
        {"filter_nulls": False},
    ),
    Deviation(
        "ids are numbers",
        _sees(
            "an_upload_answers_a_stub: kind of id",
            "a_download_must_be_fetched_in_its_format: kind of id",
        ),
        {"id_type": "number"},
    ),
)
