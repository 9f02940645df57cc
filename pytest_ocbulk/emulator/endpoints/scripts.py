"""`POST /query`: a script on a database connector (protocol.md 9.5).

The script is a select in OCNQL over the instance's tables, with SQL Server's `top n` and schema prefix understood.
Aggregates, joins and every other statement are none of it.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

from .. import ocnql
from ..clock import milliseconds
from ..errors import BadRequest, NotFound
from ..results import Criteria
from ..stored_values import record
from .call import Answer, Call

_TOP = re.compile(r"\s*select\s+top\s+(\d{1,9})\b", re.IGNORECASE)


def run_script(call: Call) -> Answer:
    """Answer the rows, at most so many as the connector's lists have; 404 on connectors that are no database."""
    connector = call.instance.connector
    if not connector.script_queries:
        raise NotFound("No resource found at /query")
    script = call.json_object().get("script")
    if not isinstance(script, str):
        raise BadRequest(f"Expected a text 'script' in the body, got {json.dumps(script)[:40]}")
    select = _table(call, _parse(script.strip().rstrip(";")))
    shape = call.instance.shape(select.object)
    if shape is None:
        raise BadRequest(f"Object {select.object!r} does not exist")
    source = call.emulator.store.collection(call.instance.id, shape.name, shape)
    criteria = Criteria(select)
    if unknown := criteria.unknown_field(source):
        raise BadRequest(f"Unknown field {unknown!r} in {shape.name}")
    limits = [limit for limit in (select.limit, connector.list_cap) if limit is not None]
    paths = criteria.paths(source)
    rows = source.select(
        criteria.selection(milliseconds(call.now)),
        paths=paths,
        order=select.order,
        limit=min(limits, default=-1),
    )
    headers = {"elements-returned-count": str(len(rows))}
    return Answer([record(paths, row[1:], nulls=call.instance.shows_nulls) for row in rows], headers)


def _parse(script: str) -> ocnql.Select:
    top = _TOP.match(script)
    if top is None:
        return ocnql.parse_select(script)
    # Blanks in the place of `top n`, so that an error still names the right position.
    select = ocnql.parse_select("select".ljust(top.end()) + script[top.end() :])
    return replace(select, limit=min(int(top[1]), select.limit if select.limit is not None else int(top[1])))


def _table(call: Call, select: ocnql.Select) -> ocnql.Select:
    """The select with its table's name as the instance knows it: `dbo.contacts` is `contacts`."""
    schema = call.instance.configuration.get("db.schema") or "dbo"
    return replace(select, object=select.object.removeprefix(f"{schema}."))
