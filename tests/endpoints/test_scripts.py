"""`POST /query` on database connectors (protocol.md 9.5)."""

from __future__ import annotations

from typing import Any

import pytest

from .service import Service


@pytest.fixture
def sql() -> Service:
    service = Service.of("sqlserver")
    service.fill("contacts", *({"first_name": f"P{number}", "email": None} for number in range(1, 4)))
    return service


@pytest.mark.parametrize(
    ("script", "ids"),
    [
        ("select * from contacts", [1, 2, 3]),
        ("SELECT contact_id FROM contacts WHERE first_name > 'P1' ORDER BY contact_id DESC;", [3, 2]),
        ("select top 2 * from contacts", [1, 2]),
        ("select TOP 2 contact_id from dbo.contacts limit 1", [1]),
        ("select contact_id from contacts where first_name = 'x'' or 1=1 --'", []),
    ],
)
@pytest.mark.parametrize("path", ["/query", "/hubs/db/query"])
def test_a_select_answers_rows(sql: Service, path: str, script: str, ids: list[int]) -> None:
    reply = sql.post(path, {"script": script})
    assert reply.status == 200, reply.text
    assert [each["contact_id"] for each in reply.json] == ids
    assert reply.headers["elements-returned-count"] == str(len(ids))


def test_rows_are_at_most_those_of_a_list(sql: Service) -> None:
    sql.fill("CE_TEST", *({"n": number} for number in range(51)))
    assert len(sql.post("/query", {"script": "select * from CE_TEST"}).json) == 50
    assert len(sql.post("/query", {"script": "select top 51 * from CE_TEST"}).json) == 50


def test_a_schema_of_the_configuration_replaces_dbo(sql: Service) -> None:
    sql.instance.configuration["db.schema"] = "crm"
    assert len(sql.post("/query", {"script": "select * from crm.contacts"}).json) == 3
    assert sql.post("/query", {"script": "select * from dbo.contacts"}).status == 400


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Expected a text 'script' in the body, got null"),
        ({"script": ["select"]}, "Expected a text 'script' in the body, got [\"select\"]"),
        ({"script": "select * from nope"}, "Object 'nope' does not exist"),
        ({"script": "select nope from contacts"}, "Unknown field 'nope' in contacts"),
        (
            {"script": "drop table contacts"},
            "Error parsing query: expected 'select' at position 1, got 'drop'",
        ),
        (
            {"script": "select top 5 count(*), email from contacts group by email order by 1 desc"},
            "Error parsing query: expected 'from' at position 19, got '('",
        ),
    ],
)
def test_what_is_no_select_over_the_tables_is_400(sql: Service, body: dict[str, Any], message: str) -> None:
    reply = sql.post("/query", body)
    assert (reply.status, reply.message) == (400, message)
    assert len(sql.get("/contacts").json) == 3


@pytest.mark.parametrize("connector", ["marketing", "sage200"])
def test_other_connectors_have_no_scripts(connector: str) -> None:
    reply = Service.of(connector).post("/query", {"script": "select * from contact"})
    assert (reply.status, reply.message) == (404, "No resource found at /query")
