"""Records: one by one and in lists."""

from __future__ import annotations

from ..case import Changes, case
from ..facts import kind
from ..subject import Row, Subject
from .uploads import NEEDS

RECORDS = Changes.RECORDS


def _created(at: Subject, **changed: object) -> Row:
    record: Row = at.send("POST", f"/{at.object}", at.row(**changed)).json()
    return record


def _path(at: Subject, record: Row) -> str:
    return f"/{at.object}/{record[at.settings.id]}"


@case(
    "[live-test] the suite's default check; PY functional test (protocol 9.1)",
    needs=(*NEEDS, "optional"),
    changes=RECORDS,
)
def a_record_lives_and_dies(at: Subject) -> None:
    """Created, read, changed, deleted: 200 each; then 404."""
    created = at.send("POST", f"/{at.object}", at.row())
    at.saw("created", created.status, 200)
    record = created.json()
    at.saw("has its id", at.settings.id in record, True)
    at.saw("read", at.get(_path(at, record)).status, 200)
    changed = at.send("PATCH", _path(at, record), {at.settings.optional: "changed"})
    at.saw("changed", changed.status, 200)
    at.saw("deleted", at.send("DELETE", _path(at, record)).status, 200)
    at.refused(at.get(_path(at, record)), 404)


@case("[swagger]; [live-test] (protocol 9.1)", needs=(*NEEDS, "optional"), changes=RECORDS)
def patch_changes_only_what_is_given(at: Subject) -> None:
    """The other fields stay."""
    record = _created(at)
    at.send("PATCH", _path(at, record), {at.settings.optional: "changed"})
    after = at.get(_path(at, record)).json()
    at.saw("the given field", after.get(at.settings.optional), "changed")
    key = at.settings.key
    at.saw("the key is as before", after.get(key) == record.get(key), True)


@case(
    "[docs] DP _includes/common-instance-config.md; [live-test] CH18 instances test (protocol 9.1)",
    needs=(*NEEDS, "optional"),
    changes=RECORDS,
)
def empty_fields_are_missing_keys(at: Subject) -> None:
    """A value that is not there is not null, it is left out."""
    record = at.get(_path(at, _created(at))).json()
    at.saw("the empty field is a key", at.settings.optional in record, False)


@case("[live-test] suite helpers (protocol 9.1)", needs=NEEDS, changes=RECORDS)
def a_second_record_with_the_same_key_is_409(at: Subject) -> None:
    """Duplicates are refused."""
    row = at.row()
    at.send("POST", f"/{at.object}", row)
    at.refused(at.send("POST", f"/{at.object}", row), 409)


@case("[live-test] suite helpers (protocol 9.1)", needs=NEEDS, changes=RECORDS)
def a_record_that_is_no_json_is_400(at: Subject) -> None:
    """A body that breaks off."""
    headers = {"Content-Type": "application/json"}
    at.refused(at.target.ask("POST", f"/{at.object}", headers, data=b"{"), 400)


@case("[swagger]; [docs] DP _includes/ceql-ref.md (protocol 9.2)", needs=("object",))
def records_are_listed(at: Subject) -> None:
    """An array, and the number of its items in a header."""
    answer = at.get(f"/{at.object}", pageSize=1)
    at.saw("status", answer.status, 200)
    at.saw("kind of body", kind(answer.json()), "array")
    counted = answer.headers.get("elements-returned-count") == str(len(answer.json()))
    at.saw("elements-returned-count counts them", counted, True)


@case("[live-test] CH17 core/suite.js (protocol 9.2)", needs=NEEDS, changes=RECORDS)
def two_pages_are_one_page_of_twice_the_size(at: Subject) -> None:
    """The paging law, with page and nextPage sent together as the vendor's suite does."""
    for _ in range(5):
        _created(at)
    path = f"/{at.object}"
    first = at.get(path, where=at.mine, page=1, pageSize=2)
    token = first.headers.get("elements-next-page-token", "")
    second = at.get(path, where=at.mine, page=2, pageSize=2, nextPage=token)
    double = at.get(path, where=at.mine, page=1, pageSize=4)
    at.saw("items", [len(first.json()), len(second.json()), len(double.json())], [2, 2, 4])
    at.saw("the law holds", first.json() + second.json() == double.json(), True)
    everything = at.get(path, where=at.mine, pageSize=200)
    at.saw("a token while there is more", bool(token), True)
    at.saw("a token at the end", "elements-next-page-token" in everything.headers, False)


@case("[docs] release 2.155; [client] PY (protocol 9.2)", needs=NEEDS, changes=RECORDS)
def the_total_is_counted_when_asked_for(at: Subject) -> None:
    """returnCount=true adds elements-total-count."""
    for _ in range(3):
        _created(at)
    answer = at.get(f"/{at.object}", where=at.mine, pageSize=1, returnCount="true")
    at.saw("elements-total-count", answer.headers.get("elements-total-count"), "3")


@case("[live-test] no match is [] for element records (protocol 9.2)", needs=("object", "writable"))
def no_match_is_an_empty_list(at: Subject) -> None:
    """A condition that nothing meets."""
    answer = at.get(f"/{at.object}", where=f"{at.settings.writable}='{at.target.run}-none'")
    at.saw("status", answer.status, 200)
    at.saw("body", answer.json(), [])


@case("[live-test] CH18 core/suite.js itBulkDownload, core/tools.js (protocol 9.2)", needs=("object",))
def meaningless_parameters_are_ignored(at: Subject) -> None:
    """An empty where, and a q that means nothing here."""
    at.saw("status", at.get(f"/{at.object}", where="", q="select * from nothing", pageSize=1).status, 200)


@case(
    "[live-test] CH17 elements/sfdc/contacts.js: an inner quote is doubled (protocol 9.3)",
    needs=(*NEEDS, "optional"),
    changes=RECORDS,
)
def a_quote_in_a_value_is_doubled(at: Subject) -> None:
    """Churro's is written Churro''s."""
    record = _created(at, **{at.settings.optional: "Churro's"})
    where = f"{at.mine} and {at.settings.optional}='Churro''s'"
    found = at.get(f"/{at.object}", where=where).json()
    at.saw("found", [each.get(at.settings.id) == record[at.settings.id] for each in found], [True])


@case(
    "[docs] DP _includes/ceql-ref.md, OCH/querying-with-ceql; [client] PY (protocol 9.3)",
    needs=(*NEEDS, "optional"),
    changes=RECORDS,
)
def conditions_know_the_operators(at: Subject) -> None:
    """LIKE, IN, !=, IS NULL, OR and parentheses, keywords in any case."""
    optional = at.settings.optional
    for value in ("alpha", "beta"):
        _created(at, **{optional: value})
    _created(at)

    def count(condition: str) -> int:
        return len(at.get(f"/{at.object}", where=f"{at.mine} and {condition}").json())

    at.saw("LIKE", count(f"{optional} LIKE 'al%'"), 1)
    at.saw("in", count(f"{optional} in ('alpha','beta')"), 2)
    at.saw("!=", count(f"{optional} != 'alpha' and {optional} is not null"), 1)
    at.saw("IS NULL", count(f"{optional} IS NULL"), 1)
    at.saw("or", count(f"({optional}='alpha' OR {optional}='beta')"), 2)
