"""Which form of an answer `Accept` asks for (protocol.md 2.3)."""

from __future__ import annotations

import pytest

from pytest_ocbulk.emulator.endpoints.media import preferred, require
from pytest_ocbulk.emulator.errors import NotAcceptable

from .service import Service

OFFERED = ("text/csv", "application/json", "application/jsonl")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "text/csv"),
        ("*/*", "text/csv"),
        ("application/json", "application/json"),
        ("application/*", "application/json"),
        ("APPLICATION/JSONL", "application/jsonl"),
        ("application/json, text/plain, */*", "application/json"),  # what axios sends
        ("text/html, application/json;q=0.9, */*;q=0.1", "application/json"),
        ("text/csv;q=0.2, application/json;q=0.8", "application/json"),
        ("text/csv;q=0, */*", "application/json"),
        ("application/json;charset=UTF-8", "application/json"),
        ("application/xml", None),
        ("text/csv;q=none", None),
    ],
)
def test_accept_chooses_among_what_is_offered(accept: str, chosen: str | None) -> None:
    assert preferred(accept, OFFERED) == chosen


def test_an_accept_that_nothing_fits_is_refused_with_what_there_is() -> None:
    with pytest.raises(NotAcceptable) as refused:
        require("application/xml", ("application/json",))
    assert refused.value.message == "Expected Accept to cover application/json, got application/xml"


@pytest.mark.parametrize("offered", [(), ("application/json",)])
def test_no_accept_fits_everything(offered: tuple[str, ...]) -> None:
    require("", offered)


def test_a_call_that_answers_json_is_406_for_a_client_that_takes_xml_only() -> None:
    service = Service.of()
    assert service.get("/objects", Accept="application/xml").status == 406
    assert service.get("/objects", Accept="application/xml, */*;q=0.1").status == 200


def test_a_refused_upload_leaves_no_job_behind() -> None:
    service = Service.of()
    assert service.upload("contact", "C_EmailAddress\na@b.co\n", Accept="text/xml").status == 406
    assert service.get("/bulk/jobs").json == []
