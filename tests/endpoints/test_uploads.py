"""`POST /bulk/{object}` (protocol.md 3.3, 5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .service import Service, connector, form

CSV = "C_EmailAddress,C_FirstName\nann@acme.com,Ann\n"


@pytest.fixture
def service() -> Service:
    return Service.of()


def test_an_unknown_object_is_accepted_and_every_row_fails(service: Service) -> None:
    file = "a\n" + "1\n" * 37
    status = service.finished(service.upload("bad", file))
    assert (status["status"], status["recordsCount"], status["recordsFailedCount"]) == ("COMPLETED", 37, 37)
    assert "error" not in status
    errors = service.get(f"/bulk/{status['id']}/errors").json
    assert {each["status"] for each in errors} == {"bad: No such object"}
    assert service.get("/bad").status == 404


def test_an_object_whose_upload_is_disabled_is_400() -> None:
    reply = Service.of("sage200").upload("transactions", "customer_id\n1\n")
    assert (reply.status, reply.message) == (400, "Bulk upload is not enabled for object 'transactions'")


def test_a_whole_file_check_ends_the_job_aborted(tmp_path: Path) -> None:
    prospects = '[objects.prospects]\nrequires_one_of = ["email", "id"]\n'
    service = Service.of(connector(tmp_path, prospects))
    status = service.finished(service.upload("prospects", "name\nAnn\n"))
    assert (status["status"], status["error"]) == (
        "ABORTED",
        "All prospects records require either 'email' or 'id'",
    )


@pytest.mark.parametrize(
    ("target", "body", "content_type", "message"),
    [
        ("contact", b"x", None, "Expected a multipart/form-data body with a file part, got no Content-Type"),
        ("contact", form(None, {}), "multipart/form-data; boundary=B", None),
        ("contact", form(CSV, None)[:-8], "multipart/form-data; boundary=B", None),
        ("contact", form(CSV, {"action": "delete"}), "multipart/form-data; boundary=B", None),
        ("contact", form(CSV, {"action": "upsert"}), "multipart/form-data; boundary=B", None),
    ],
)
def test_a_form_that_cannot_be_used_is_400_and_makes_no_job(
    service: Service, target: str, body: bytes, content_type: str | None, message: str | None
) -> None:
    headers = {"Content_Type": content_type} if content_type else {}
    reply = service.post(f"/bulk/{target}", body, **headers)
    assert reply.status == 400
    assert (
        reply.message.startswith(message or "Expected ") or "multipart body cannot be read" in reply.message
    )
    assert service.get("/bulk/jobs").json == []


def test_options_may_stand_in_the_url_and_the_part_wins(service: Service) -> None:
    service.fill("contact", {"C_EmailAddress": "ann@acme.com", "C_FirstName": "A"})
    name = "contact?action=upsert&identifierFieldName=C_EmailAddress&path=/sample.csv"
    assert service.finished(service.upload(name, CSV))["recordsFailedCount"] == 0
    assert service.get("/contact/1").json["C_FirstName"] == "Ann"
    assert service.finished(service.upload(name, CSV, {"action": "create"}))["recordsFailedCount"] == 1


@pytest.mark.parametrize(
    ("metadata", "failed"),
    [
        ({}, 1),
        ({"action": "create"}, 1),
        ({"action": "update", "identifierFieldName": "C_EmailAddress"}, 1),
        ({"action": "upsert", "primaryKeyName": "C_EmailAddress"}, 0),
    ],
)
def test_actions_tell_what_a_known_and_an_unknown_row_become(
    service: Service, metadata: dict[str, Any], failed: int
) -> None:
    service.fill("contact", {"C_EmailAddress": "ann@acme.com", "C_FirstName": "A"})
    status = service.finished(service.upload("contact", CSV + "bob@acme.com,Bob\n", metadata))
    assert status["recordsFailedCount"] == failed
    first_names = {each["C_EmailAddress"]: each["C_FirstName"] for each in service.get("/contact").json}
    updated = metadata.get("action") in ("update", "upsert")
    assert first_names["ann@acme.com"] == ("Ann" if updated else "A")
    assert ("bob@acme.com" in first_names) is (metadata.get("action") != "update")


def test_a_callback_is_due_when_the_job_has_ended(service: Service) -> None:
    reply = service.upload(
        "contact", CSV, {"callback-payload": {"run": 1}}, Elements_Async_Callback_Url="http://localhost/done"
    )
    assert service.emulator.take_callbacks() == []
    service.finished(reply)
    (callback,) = service.emulator.take_callbacks()
    assert callback.url == "http://localhost/done"
    assert b'"callback-payload": {"run": 1}' in callback.body


def test_no_json_line_is_no_row_and_a_csv_without_a_header_is_no_file(service: Service) -> None:
    """Zero rows are an empty body of JSON lines (3.7), while a CSV has its header even then (3.3)."""
    for file, options, status in (
        ("", {"format": "json"}, "COMPLETED"),
        ("[]", {"format": "json"}, "COMPLETED"),
        ("", {}, "ABORTED"),
    ):
        body = service.finished(service.upload("contact", file, options))
        assert (body["status"], body["recordsCount"], body["recordsFailedCount"]) == (status, 0, 0)
