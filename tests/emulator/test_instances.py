"""Credentials are found however they are written, and one wrong part is enough to be nobody."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import LIVE
from pytest_ocbulk.emulator.errors import Unauthorized
from pytest_ocbulk.emulator.instances import Credentials, Instance, Instances

TOKEN = "p+AB/cd=="  # base64-like, as the service's are (protocol.md 2.1)
USER = "u/9+x="
ORGANIZATION = "0123456789abcdef0123456789abcdef"


def instance(
    token: str = TOKEN,
    number: int = 1,
    connector: str = "marketing",
    configuration: dict[str, str] | None = None,
) -> Instance:
    return Instance(
        number,
        token,
        USER,
        ORGANIZATION,
        built_in(connector),
        LIVE,
        ManualClock(),
        configuration=configuration or {},
    )


@pytest.fixture
def known() -> Instances:
    instances = Instances()
    instances.add(instance())
    return instances


PAIRS = (f"Element {TOKEN}", f"User {USER}", f"Organization {ORGANIZATION}")


@pytest.mark.parametrize(
    "pairs", list(permutations(PAIRS)), ids=lambda pairs: "".join(pair[0] for pair in pairs)
)
@pytest.mark.parametrize("comma", [",", ", ", " , ", " ,"], ids=["none", "after", "both", "before"])
def test_pairs_come_in_any_order_with_blanks_around_commas(
    known: Instances, pairs: tuple[str, ...], comma: str
) -> None:
    assert known.authenticate(comma.join(pairs)).token == TOKEN


def test_the_organization_may_be_missing(known: Instances) -> None:
    assert known.authenticate(f"User {USER}, Element {TOKEN}").token == TOKEN


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "Element",
        f"Element {TOKEN}",
        f"User {USER}",
        f"Element {TOKEN}, User",
        f"Element {TOKEN}, User {USER}x",
        f"Element {TOKEN[:-1]}, User {USER}",
        f"Element {TOKEN.lower()}, User {USER}",
        f"Element {TOKEN}, User {USER}, Organization x",
        f"Element: {TOKEN}, User: {USER}",
        f"Token {TOKEN}, User {USER}",
        f"Element {USER}, User {TOKEN}",
        f"Bearer {TOKEN}",
        f"Element={TOKEN}, User={USER}",
        f"Element {TOKEN} User {USER}",
        "Element ä, User ö",
    ],
)
def test_one_wrong_part_is_enough_to_be_nobody(known: Instances, header: str) -> None:
    with pytest.raises(Unauthorized):
        known.authenticate(header)


@given(st.text(max_size=60))
def test_no_header_at_all_breaks_the_reading(header: str) -> None:
    with pytest.raises(Unauthorized):
        Instances().authenticate(header)
    assert isinstance(Credentials.parse(header), Credentials)


VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1)


@given(VALUES, VALUES, VALUES, st.permutations([0, 1, 2]))
def test_values_are_opaque(element: str, user: str, organization: str, order: list[int]) -> None:
    pairs = [f"Element {element}", f"User {user}", f"Organization {organization}"]
    found = Credentials.parse(",".join(pairs[at] for at in order))
    assert found == Credentials(element, user, organization)


def test_a_deleted_instance_is_nobody_though_it_was_found_before(known: Instances) -> None:
    header = ", ".join(PAIRS)
    found = known.authenticate(header)
    assert known.authenticate(header) is found
    known.remove(found)
    with pytest.raises(Unauthorized):
        known.authenticate(header)
    assert (len(known), list(known), known.get(TOKEN), known.by_id(1)) == (0, [], None, None)


def test_a_secret_that_was_wrong_once_stays_wrong(known: Instances) -> None:
    for _ in range(2):
        with pytest.raises(Unauthorized):
            known.authenticate(f"Element {TOKEN}, User wrong")
    assert known.authenticate(f"Element {TOKEN}, User {USER}").id == 1


def test_a_user_of_the_platform_needs_both_secrets(known: Instances) -> None:
    given_user = Credentials(user=USER, organization=ORGANIZATION)
    assert known.user(f"User {USER}, Organization {ORGANIZATION}") == given_user
    for header in (
        f"User {USER}",
        f"Organization {ORGANIZATION}",
        f"User x, Organization {ORGANIZATION}",
        "",
    ):
        with pytest.raises(Unauthorized):
            known.user(header)


def test_a_known_user_needs_no_instance() -> None:
    new = Credentials(user="a", organization="b")
    assert Instances().user("Organization b, User a", new) == new
    with pytest.raises(Unauthorized):
        Instances().user("Organization b, User a")


def test_a_user_has_own_instances_oldest_first(known: Instances) -> None:
    known.add(instance("second", 2))
    stranger = instance("third", 3)
    stranger.user_secret = "somebody"
    known.add(stranger)
    own = known.of(Credentials(user=USER, organization=ORGANIZATION))
    assert [each.id for each in own] == [1, 2]


def test_tables_of_the_configuration_are_objects_without_fields() -> None:
    found = instance(connector="sqlserver", configuration={"db.table.names": " people, data_*,, orders "})
    assert found.tables == ("people", "orders")
    people = found.shape("people")
    assert people is not None
    assert not people.declared
    assert found.shape("others") is None
    assert found.shape("Company") is built_in("sqlserver").objects["Company"]


@pytest.mark.parametrize(
    ("setting", "shown"), [("true", False), ("false", True), ("FALSE", True), ("", False)]
)
def test_the_configuration_says_whether_nulls_show(setting: str, shown: bool) -> None:
    assert instance(configuration={"filter.response.nulls": setting}).shows_nulls == shown


def test_without_a_setting_the_quirk_says_whether_nulls_show() -> None:
    found = instance()
    assert not found.shows_nulls
    found.dialect = LIVE.with_quirks({"filter_nulls": False})
    assert found.shows_nulls
