"""Records one by one and in lists (protocol.md 9.1, 9.2). Everything that succeeds answers 200."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .. import ocnql
from ..checks import convert, not_a, required, text_fault
from ..connectors import ObjectDefinition
from ..errors import BadRequest, Conflict, NotFound
from ..nesting import flatten
from ..paging import page_of, token
from ..predicate import to_sql
from ..runner import milliseconds
from ..store import Collection, Selection, Taken, encode, record
from .call import Answer, Call
from .discovery import find_shape


def list_records(call: Call) -> Answer:
    """`GET /{object}`: a page of records; the paging law and the parameters of 9.2."""
    shape = find_shape(call)
    records, query = _collection(call, shape), call.request.query
    selection = Selection(_where(call, records), now=milliseconds(call.now))
    order = ocnql.parse_order(query["orderBy"]) if query.get("orderBy", "").strip() else ()
    page = page_of(query, call.instance.connector.list_cap)
    paths = _fields(query) or records.paths
    rows = records.select(
        selection, paths=paths, order=order, after=page.after, offset=page.offset, limit=page.size + 1
    )
    shown = rows[: page.size]
    headers = {"elements-returned-count": str(len(shown))}
    if len(rows) > page.size or (call.instance.dialect.quirks.token_on_last_page and shown):
        headers["elements-next-page-token"] = (
            token("o", page.offset + page.size) if order else token("a", shown[-1][0])
        )
    if "true" in (query.get("returnCount", "").lower(), query.get("returnTotalCount", "").lower()):
        headers["elements-total-count"] = str(records.count(selection))
    nulls = call.instance.shows_nulls
    return Answer([record(paths, row[1:], nulls=nulls) for row in shown], headers)


def create_record(call: Call) -> Answer:
    """`POST /{object}`: the record with its id; where the connector says so, its `urn` alone (11.2)."""
    shape = find_shape(call)
    records = _collection(call, shape)
    values = record_values(shape, call.json_object(), complete=True)
    visible = None
    now = milliseconds(call.now)
    if shape.answers:
        values[shape.answers] = call.emulator.ids.urn()
    late = max(shape.visible_after, call.instance.visibility.lag)
    if late:
        visible = now + round(late * 1000)
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
    records = _collection(call, find_shape(call))
    return Answer(_shown(call, records, _find(call, records), _fields(call.request.query)))


def patch_record(call: Call) -> Answer:
    """`PATCH /{object}/{id}`: changes the given fields and no other."""
    return _change(call, complete=False)


def put_record(call: Call) -> Answer:
    """`PUT /{object}/{id}`: what is not given is empty afterwards."""
    return _change(call, complete=True)


def delete_record(call: Call) -> Answer:
    """`DELETE /{object}/{id}`: 200 with an empty body; the record is 404 afterwards."""
    records = _collection(call, find_shape(call))
    records.delete(_find(call, records))
    return Answer(body=b"")


def _change(call: Call, *, complete: bool) -> Answer:
    shape = find_shape(call)
    records = _collection(call, shape)
    row = _find(call, records)
    values = record_values(shape, call.json_object(), complete=complete)
    if complete:
        empty = dict.fromkeys(path for path in records.columns if path != records.key)
        values = empty | values
    try:
        with call.emulator.store.transaction():
            records.update(row, values, milliseconds(call.now))
    except Taken as taken:
        raise Conflict(f"Another record with this {taken.field} already exists") from None
    return Answer(_shown(call, records, int(values.get(records.key) or row) if records.key_is_row else row))


def _collection(call: Call, shape: ObjectDefinition) -> Collection:
    return call.emulator.store.collection(call.instance.id, shape.name, shape)


def _find(call: Call, records: Collection) -> int:
    wanted = call.names["id"]
    row = records.row_of(records.key, wanted)
    if (
        row is None
        or not records.select(Selection(now=milliseconds(call.now)), paths=(), after=row - 1, limit=1)[0][0]
        == row
    ):
        raise NotFound(f"No {records.name} found with {records.key} {wanted}")
    return row


def _shown(call: Call, records: Collection, row: int, fields: list[str] | None = None) -> dict[str, Any]:
    paths = fields or records.paths
    found = records.select(paths=paths, after=row - 1, limit=1)
    return record(paths, found[0][1:], nulls=call.instance.shows_nulls)


def _where(call: Call, records: Collection) -> ocnql.Expr | None:
    """The condition of a list; an empty one is none (9.2). A field the object cannot have is refused."""
    text = call.request.query.get("where", "")
    if not text.strip():
        return None
    where = ocnql.parse_where(text)

    def known(field: str) -> str:
        if not records.knows(field):
            raise BadRequest(
                f"Unknown field {field!r} in where; {records.name} has {', '.join(records.declared)}"
            )
        return field

    to_sql(where, known)
    return where


def _fields(query: Mapping[str, str]) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in query.get("fields", "").split(",") if name.strip()))


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
    try:
        return {name: encode(value) for name, value in flat.items()}
    except ValueError:
        raise BadRequest(f"Not valid Unicode text in {json.dumps(flat)[:80]}") from None
