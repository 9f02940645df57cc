"""Pages: what the parameters say, and tokens that nobody can invent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.errors import BadRequest
from pytest_ocbulk.emulator.paging import MAX_PAGE_SIZE, PAGE_SIZE, Page, page_of, token

from .asking import Asked, body_of, contacts


@pytest.mark.parametrize(
    ("query", "cap", "page"),
    [
        ({}, None, Page(200)),
        ({"pageSize": ""}, None, Page(200)),
        ({"pageSize": "30"}, None, Page(30)),
        ({"pageSize": "30", "page": "3"}, None, Page(30, offset=60)),
        ({"pageSize": "9999"}, None, Page(5000)),
        ({"pageSize": "9999"}, 50, Page(50)),
        ({}, 50, Page(50)),
        ({"page": "2"}, 50, Page(50, offset=50)),
        ({"nextPage": "YTozMA", "page": "2"}, None, Page(200, after=30)),
        ({"nextPage": "bzo2MA"}, None, Page(200, offset=60)),
        ({"nextPage": ""}, None, Page(200)),
    ],
)
def test_a_page_is_what_the_parameters_say(query: dict[str, str], cap: int | None, page: Page) -> None:
    assert page_of(query, cap) == page


def test_the_sizes_are_those_of_the_service() -> None:
    assert (PAGE_SIZE, MAX_PAGE_SIZE) == (200, 5000)


@pytest.mark.parametrize("name", ["pageSize", "page"])
@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", "٣", "1e3", "99999999999999999999"])
def test_what_is_no_number_is_refused(name: str, text: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        page_of({name: text})
    assert refusal.value.message == f"Expected {name} to be a number from 1 to 1000000000, got {text!r}"


@pytest.mark.parametrize("text", ["30", "MzA", "x", "YTotMQ", "Yjox", "YTp4", "ä", "YTo" + "OTk5" * 9, "YQ"])
def test_a_token_that_no_page_gave_is_refused(text: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        page_of({"nextPage": text})
    assert refusal.value.message == f"Expected nextPage to be a token of an earlier page, got {text!r}"


@given(st.sampled_from("ao"), st.integers(0, 2**63 - 1))
def test_a_token_reads_back_and_needs_no_encoding(kind: str, number: int) -> None:
    given_token = token(kind, number)
    assert given_token.replace("-", "").replace("_", "").isalnum()
    page = page_of({"nextPage": given_token})
    assert (page.after if kind == "a" else page.offset) == number


# -- the paging law, over the whole way (protocol.md 9.2) ----------------------------------------------------


@pytest.fixture(scope="module")
def people() -> Iterator[Asked]:
    with Asked() as fake:
        job = fake.upload(contacts(*(f"{letter}{number}" for number in range(4) for letter in "dab")))
        assert fake.status(job) == "COMPLETED"
        for number in ("2", "7"):
            assert fake.answer("DELETE", f"/contact/{number}").status == 200
        yield fake


def listed(fake: Asked, query: str) -> tuple[list[str], str]:
    """The names on a page, and the token of the next one, empty if there is none."""
    answer = fake.answer("GET", f"/contact?fields=C_FirstName&{query}")
    assert answer.status == 200
    items = [item["C_FirstName"] for item in json.loads(body_of(answer))]
    assert answer.headers["elements-returned-count"] == str(len(items))
    return items, answer.headers.get("elements-next-page-token", "")


ORDERS = (
    "",
    "orderBy=C_FirstName",
    "orderBy=C_FirstName desc",
    "where=C_FirstName like 'a%25'",
    "orderBy=C_LastName",
)


@pytest.mark.parametrize("order", ORDERS, ids=range(5))
@pytest.mark.parametrize("size", range(1, 13))
def test_two_pages_are_one_of_twice_the_size_by_number_and_by_token(
    people: Asked, order: str, size: int
) -> None:
    both, _ = listed(people, f"{order}&pageSize={2 * size}")
    first, token_of_first = listed(people, f"{order}&pageSize={size}")
    by_number, _ = listed(people, f"{order}&pageSize={size}&page=2")
    assert first + by_number == both
    if token_of_first:
        by_token, _ = listed(people, f"{order}&pageSize={size}&page=2&nextPage={token_of_first}")
        assert by_token == by_number


@pytest.mark.parametrize("order", ORDERS, ids=range(5))
@pytest.mark.parametrize("size", range(1, 13))
def test_tokens_lead_through_everything_once_and_end(people: Asked, order: str, size: int) -> None:
    everything, none = listed(people, f"{order}&pageSize=200")
    assert none == ""
    found, following = listed(people, f"{order}&pageSize={size}")
    while following:
        items, following = listed(people, f"{order}&pageSize={size}&nextPage={following}")
        assert items
        found += items
    assert found == everything
