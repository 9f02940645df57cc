"""Records one by one and in lists, and those below a parent record (protocol.md 9.1, 9.2).

Everything that succeeds answers 200. The same functions serve `/{object}` and `/{object}/{id}/{child}`: records of a
child belong to one parent, have no declared fields, and go when their parent goes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import ocnql
from ..checks import convert, not_a, required, text_fault
from ..clock import milliseconds
from ..collection import Collection, Taken
from ..connectors import ObjectDefinition
from ..errors import BadRequest, Conflict, NotFound
from ..nesting import flatten
from ..paging import Page, cut, fields_of, page_of, token
from ..predicate_sql import parsed_where
from ..results import expand
from ..selection import Selection
from ..stored_values import encode, record
from .call import Answer, Call
from .discovery import find_shape


class Resource(NamedTuple):
    """What a path is about: the records of an object, or of a child of one record; `wanted` is the id it names."""

    shape: ObjectDefinition
    records: Collection
    wanted: str = ""

    @property
    def children(self) -> str:
        """What the names of the collections below any record of this object begin with."""
        return f"\0child {self.shape.name}/"


def list_records(call: Call) -> Answer:
    """`GET /{object}`: a page of records; the paging law and the parameters of 9.2."""
    records, query = _resource(call).records, call.request.query
    selection = Selection(_where(call, records), now=milliseconds(call.now))
    order = _order(call, records)
    page = page_of(query, call.instance.connector.list_cap)
    if order and page.after is not None:
        raise BadRequest("Expected nextPage to be a token of this list, got one of a list without orderBy")
    paths = expand(fields_of(query), records) or records.paths
    rows = records.select(
        selection, paths=paths, order=order, after=page.after, offset=page.offset, limit=page.size + 1
    )
    always = call.instance.dialect.quirks.token_on_last_page
    shown, headers = cut(rows, page.size, lambda row: _following(row, page, order), always=always)
    if "true" in (query.get("returnCount", "").lower(), query.get("returnTotalCount", "").lower()):
        headers["elements-total-count"] = str(records.count(selection))
    nulls = call.instance.shows_nulls
    return Answer([record(paths, row[1:], nulls=nulls) for row in shown], headers)


def create_record(call: Call) -> Answer:
    """`POST /{object}`: the record with its id; where the connector says so, its `urn` alone (11.2)."""
    resource = _resource(call)
    shape, records = resource.shape, resource.records
    values = record_values(shape, call.json_object(), complete=True)
    now = milliseconds(call.now)
    if shape.answers:
        values[shape.answers] = call.emulator.ids.urn()
    visible = call.instance.visibility.instant_of_one(now, shape.visible_after)
    key = values.get(records.key) if records.key_is_open else None
    if key is not None and records.row_of(records.key, key) is not None:
        raise Conflict(f"A record with this {records.key} already exists")  # made up earlier, or given
    try:
        with call.emulator.store.transaction():
            row = records.insert(list(values), [list(values.values())], now, visible)
    except Taken as taken:
        raise Conflict(f"A record with this {taken.field} already exists") from None
    if shape.answers:
        return Answer({shape.answers: values[shape.answers]})
    return Answer(_shown(call, records, row))


def get_record(call: Call) -> Answer:
    """`GET /{object}/{id}`."""
    resource = _resource(call)
    return Answer(_shown(call, resource.records, _find(call, resource), fields_of(call.request.query)))


def patch_record(call: Call) -> Answer:
    """`PATCH /{object}/{id}`: changes the given fields and no other."""
    return _change(call, complete=False)


def put_record(call: Call) -> Answer:
    """`PUT /{object}/{id}`: what is not given is empty afterwards."""
    return _change(call, complete=True)


def delete_record(call: Call) -> Answer:
    """`DELETE /{object}/{id}`: 200 with an empty body; the record is 404 afterwards, and so is what was below it."""
    resource = _resource(call)
    row, store = _find(call, resource), call.emulator.store
    resource.records.delete(row)
    if "child" not in call.names:
        for name in store.names(call.instance.id):
            if name.startswith(f"{resource.children}{row}/"):
                store.drop(call.instance.id, name)
    return Answer(body=b"")


def _change(call: Call, *, complete: bool) -> Answer:
    resource = _resource(call)
    records, row = resource.records, _find(call, resource)
    values = record_values(resource.shape, call.json_object(), complete=complete)
    if complete:
        empty = dict.fromkeys(path for path in records.columns if path != records.key)
        values = empty | values
    try:
        with call.emulator.store.transaction():
            records.update(row, values, milliseconds(call.now))
    except Taken as taken:
        raise Conflict(f"Another record with this {taken.field} already exists") from None
    return Answer(_shown(call, records, int(values.get(records.key) or row) if records.key_is_row else row))


def _resource(call: Call) -> Resource:
    """The records that the path is about; raises `NotFound` for an unknown object and for a missing parent."""
    shape, names = find_shape(call), call.names
    store, number = call.emulator.store, call.instance.id
    resource = Resource(shape, store.collection(number, shape.name, shape), names.get("id", ""))
    child = names.get("child")
    if child is None:
        return resource
    below = ObjectDefinition(child)
    name = f"{resource.children}{_find(call, resource)}/{child}"
    return Resource(below, store.collection(number, name, below), names.get("childId", ""))


def _find(call: Call, resource: Resource) -> int:
    """The row of the record that the path names, if it is visible by now; raises `NotFound`."""
    records, wanted = resource.records, resource.wanted
    if not records.key:  # without a single primary key there are no calls by id (11.1)
        raise NotFound(f"{resource.shape.name} has no primary key, so its records have no calls by ID")
    row = records.row_of(records.key, wanted)
    if row is not None:
        visible = records.select(Selection(now=milliseconds(call.now)), paths=(), after=row - 1, limit=1)
        if visible and visible[0][0] == row:
            return row
    raise NotFound(f"No {resource.shape.name} found with {records.key} {wanted}")


def _shown(call: Call, records: Collection, row: int, fields: tuple[str, ...] = ()) -> dict[str, Any]:
    paths = expand(fields, records) or records.paths
    found = records.select(paths=paths, after=row - 1, limit=1)
    return record(paths, found[0][1:], nulls=call.instance.shows_nulls)


def _following(row: tuple[Any, ...], page: Page, order: tuple[ocnql.Order, ...]) -> str:
    """The token of the next page: behind the last row, or under an order behind so many rows."""
    return token("o", page.offset + page.size) if order else token("a", row[0])


def _where(call: Call, records: Collection) -> ocnql.Expr | None:
    """The condition of a list; an empty one is none (9.2). A field the object cannot have is refused."""
    return condition_of(call.request.query.get("where"), records)


def condition_of(text: str | None, records: Collection) -> ocnql.Expr | None:
    """The condition that a text is, none for an empty one; raises `BadRequest` for a field the object cannot have."""
    return parsed_where(text, lambda field: _known(records, field, "where"))


def _order(call: Call, records: Collection) -> tuple[ocnql.Order, ...]:
    text = call.request.query.get("orderBy", "")
    order = ocnql.parse_order(text) if text.strip() else ()
    for each in order:
        _known(records, each.field, "orderBy")
    return order


def _known(records: Collection, field: str, parameter: str) -> str:
    if not records.knows(field):
        fields = ", ".join(
            [records.key, *records.declared, *records.sources] if records.key else records.paths
        )
        raise BadRequest(f"Unknown field {field!r} in {parameter}; {records.name} has {fields}")
    return field


def record_values(shape: ObjectDefinition, body: dict[str, Any], *, complete: bool) -> dict[str, Any]:
    """Encoded values of a record body: checked, converted; keys the object does not have are dropped (11.1)."""
    flat = flatten(body)
    if shape.declared:
        flat = {
            name: value
            for name, value in flat.items()
            if name in shape.fields and not shape.fields[name].read_only
        }
    faults = []
    for field in shape.fields.values():
        value = flat.get(field.name)
        if field.required and value in (None, "") and (complete or field.name in flat):
            faults.append(required(field.name))
        elif field.name in flat:
            try:
                flat[field.name] = converted = convert(field, value)
                fault = text_fault(field, converted) if field.type == "string" else None
            except (ValueError, TypeError, OverflowError):
                fault = not_a(field.type, value, field.name)
            faults += [fault] if fault else []
    if faults:
        raise BadRequest("; ".join(faults))
    return {name: encode(value) for name, value in flat.items()}
