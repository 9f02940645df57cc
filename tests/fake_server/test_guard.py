"""Who may control a fake: each rule with the call that only this rule refuses."""

from __future__ import annotations

import pytest

from fake_server.guard import Guard, host_name
from pytest_ocbulk.emulator.messages import Request

HERE = Guard("127.0.0.1")
BEYOND = Guard("0.0.0.0", token="s3cret")
TOOL = {"Host": "127.0.0.1:8765"}


def refusal(guard: Guard, headers: dict[str, str]) -> tuple[int, str] | None:
    found = guard.refusal(Request.of("POST", "/__ocbulk__/reset", headers))
    return (found.status, found.message) if found else None


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:8765", "fake.localhost:1", "127.8.9.1"]
)
def test_tools_on_this_machine_may(host: str) -> None:
    assert refusal(HERE, {"Host": host}) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8765",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "192.168.1.4:8765",
        "0.0.0.0:8765",
        "",
    ],
)
def test_a_name_that_resolves_to_this_machine_may_not(host: str) -> None:
    assert refusal(HERE, {"Host": host}) == (
        403,
        (
            f"Expected a Host of this machine (localhost, 127.0.0.1, [::1]), got {host!r}: a web page may have"
            " given its own name the address of this machine. Call http://127.0.0.1 instead."
        ),
    )


def test_a_token_is_no_pass_for_a_foreign_name() -> None:
    guard = Guard("127.0.0.1", token="s3cret")
    assert refusal(guard, {"Host": "evil.example", "Authorization": "Bearer s3cret"})
    assert refusal(guard, {**TOOL, "Authorization": "Bearer s3cret"}) is None


def test_a_token_that_was_set_is_wanted_on_this_machine_too() -> None:
    assert refusal(Guard("127.0.0.1", token="s3cret"), TOOL) is not None


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8765", "https://127.0.0.1:8765"])
def test_the_servers_own_page_may(origin: str) -> None:
    assert refusal(HERE, {**TOOL, "Origin": origin, "Sec-Fetch-Site": "same-origin"}) is None


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1:8766",
        "http://localhost:8765",
        "http://127.0.0.1:8765.evil.example",
    ],
)
def test_a_page_of_another_origin_may_not(origin: str) -> None:
    assert refusal(HERE, {**TOOL, "Origin": origin}) == (
        403,
        (
            f"Expected no Origin, or the server's own, got {origin!r}: pages of other sites may not control the fake."
            " Use a tool such as curl, or a page that this server serves."
        ),
    )


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_an_image_or_link_on_another_site_may_not(site: str) -> None:
    assert refusal(HERE, {**TOOL, "Sec-Fetch-Site": site}) == (
        403,
        (
            f"Expected a call of the server's own page, got Sec-Fetch-Site {site!r}: pages of other sites may not"
            " control the fake. Open the address in a tab of its own."
        ),
    )


def test_an_address_that_was_typed_may() -> None:
    assert refusal(HERE, {**TOOL, "Sec-Fetch-Site": "none"}) is None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_beyond_this_machine_the_token_opens(scheme: str) -> None:
    headers = {"Host": "build-server:8765", "Authorization": f"{scheme} s3cret"}
    assert refusal(BEYOND, headers) is None


@pytest.mark.parametrize(
    ("given", "came"),
    [
        ("", "none"),
        ("Bearer guess", "another"),
        ("s3cret", "another"),
        ("Basic s3cret", "another"),
        ("Bearer s3cré", "another"),
        ("Bearer ", "another"),
    ],
)
def test_beyond_this_machine_nobody_may_without_the_token(given: str, came: str) -> None:
    headers = {**TOOL, "Authorization": given}
    assert refusal(BEYOND, headers) == (
        401,
        (
            f"Expected the control token, got {came}. Send 'Authorization: Bearer <token>' with the token that"
            " the server was started with (--control-token)."
        ),
    )


def test_beyond_this_machine_nobody_may_when_there_is_no_token() -> None:
    assert refusal(Guard("0.0.0.0"), {**TOOL, "Authorization": "Bearer None"}) == (
        403,
        (
            "The server listens on 0.0.0.0, which other machines reach, and has no control token. Start it with"
            " --control-token, or on 127.0.0.1."
        ),
    )


def test_beyond_this_machine_a_foreign_page_may_not_even_with_the_token() -> None:
    headers = {
        "Host": "build-server:8765",
        "Authorization": "Bearer s3cret",
        "Origin": "https://evil.example",
    }
    assert refusal(BEYOND, headers)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost:80", "localhost"),
        ("[::1]:80", "::1"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        (" A.B ", "a.b"),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert host_name(header) == name
