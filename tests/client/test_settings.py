"""Where the settings come from, and that the secrets among them show up nowhere."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from pytest_ocbulk.client import (
    BulkClient,
    ConfigurationError,
)
from pytest_ocbulk.client.session import SessionOfOneHost

from .raw_service import RESET, answer, raw_service
from .stand_ins import BASE, SECRET, TOKEN, at, make

ENV = {
    "OPEN_CONNECTORS_BASE_URL": BASE,
    "OPEN_CONNECTORS_ELEMENT_TOKEN": TOKEN,
    "OPEN_CONNECTORS_USER_SECRET": SECRET,
    "OPEN_CONNECTORS_HUB": "marketing",
    "OPEN_CONNECTORS_ORGANIZATION_SECRET": "",
}


def test_the_environment_says_which_instance(service: responses.RequestsMock) -> None:
    service.get(f"{BASE}/hubs/marketing/objects", json=[])
    BulkClient.from_environment(ENV).objects()
    assert service.calls[0].request.headers["Authorization"] == f"User {SECRET}, Element {TOKEN}"


def test_an_argument_wins_over_the_environment() -> None:
    assert repr(BulkClient.from_environment(ENV, hub="finance", timeout=None)) == (
        f"BulkClient({BASE}, hub finance, Credentials(User ****, Element ****))"
    )


def test_every_missing_variable_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        BulkClient.from_environment({"OPEN_CONNECTORS_USER_SECRET": SECRET})
    assert str(caught.value) == (
        "set OPEN_CONNECTORS_BASE_URL and OPEN_CONNECTORS_ELEMENT_TOKEN, which say which connector instance to talk to"
    )


UNFIT = (
    "has a character that cannot stand in the header (a line break, a comma?);"
    " take it from the instance's page in Open Connectors"
)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"user_secret": " "}, "user_secret is empty; take it from the instance's page in Open Connectors"),
        (
            {"element_token": "abc\ndef"},
            f"element_token {UNFIT}",
        ),
        (
            {"organization_secret": "a,b"},
            f"organization_secret {UNFIT}",
        ),
    ],
)
def test_a_secret_that_cannot_be_sent_is_refused_without_being_shown(
    wrong: dict[str, str], complaint: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(**wrong)
    assert str(caught.value) == complaint


@pytest.mark.parametrize(
    "address",
    ["api.example.com", "ftp://x.example", "https://me:pw@x.example/api", "https://x.example/?a=b", ""],
)
def test_a_base_url_that_cannot_be_one_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^base_url must ") as caught:
        make(base_url=address)
    assert "pw" not in str(caught.value)


def test_blanks_around_a_secret_are_not_part_of_it(service: responses.RequestsMock) -> None:
    service.get(f"{BASE}/objects", json=[])
    BulkClient(BASE, element_token=f" {TOKEN}\n", user_secret=SECRET).objects()
    assert service.calls[0].request.headers["Authorization"] == f"User {SECRET}, Element {TOKEN}"


ECHO = answer("403 Forbidden", json.dumps({"message": f"no {SECRET}", "providerMessage": TOKEN}))
"""Not a local of the test, because the test prints the locals of every frame."""


def test_no_secret_shows_in_reprs_logs_or_tracebacks(caplog: pytest.LogCaptureFixture) -> None:
    """Not even with the locals of every frame, nor when the service repeats a secret in its refusal."""
    caplog.set_level(logging.DEBUG)
    printed = []
    with raw_service(RESET, RESET, RESET, RESET, RESET, ECHO) as service, at(service.base_url) as client:
        for call in (client.objects, lambda: client.upload("contact", b"a"), client.objects):
            with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever it is
                call()
            seen = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            printed.append("".join(seen.format()))
            printed.append(
                str(caught.getrepr(style="long", showlocals=True, funcargs=True, truncate_locals=False))
            )
            printed.append(repr(vars(caught.value)))
        printed += [repr(client), str(vars(client)), caplog.text]
    assert "no **** (provider: ****)" in printed[-6]
    everything = "\n".join(printed).replace("SECRET", "")
    assert "raw_service" in everything, "the frames were printed"
    assert SECRET not in everything
    assert TOKEN not in everything


def test_an_entry_in_netrc_does_not_replace_the_credentials(
    service: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password pw\n")
    monkeypatch.setenv("NETRC", str(netrc))
    service.get(f"{BASE}/objects", json=[])
    BulkClient(BASE, element_token=TOKEN, user_secret=SECRET).objects()
    assert service.calls[0].request.headers["Authorization"] == f"User {SECRET}, Element {TOKEN}"


def test_a_session_given_stays_open_and_one_of_its_own_is_closed() -> None:
    closed: list[requests.Session] = []
    mine = requests.Session()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "close", lambda session: closed.append(session))
        with make(session=mine):
            pass
        assert closed == []
        with make():
            pass
    assert len(closed) == 1
    assert closed != [mine]


def test_the_environment_is_read_once_and_as_requests_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/certificates.pem")
    call: list[Any] = ["http://crm.example/objects", {}, None, None, None]
    expected: dict[str, Any] = dict(requests.Session().merge_environment_settings(*call))
    assert (expected["proxies"]["http"], expected["verify"]) == (
        "http://proxy.example:3128",
        "/certificates.pem",
    )
    session = SessionOfOneHost()
    assert session.merge_environment_settings(*call) == expected
    monkeypatch.setenv("http_proxy", "http://other.example:3128")
    assert session.merge_environment_settings(*call) == expected
    call[2] = True
    assert session.merge_environment_settings(*call) == {**expected, "stream": True}
