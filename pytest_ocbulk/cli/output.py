"""What goes to standard output: tables for people, one JSON value a line for machines."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

from pytest_ocbulk.process_streams import takes_all_text

F = TypeVar("F", bound=Callable[..., Any])

SAMPLE = 100
"""Rows that a table's column widths are measured by; later rows are printed as they come."""

json_option: Callable[[F], F] = click.option(
    "--json", "as_json", is_flag=True, help="One JSON value a line instead of a table."
)


def print_json(value: object) -> None:
    """One value on one line. Reports and the like become objects of their fields, without `raw`."""
    plain = facts_of(value) if dataclasses.is_dataclass(value) else value
    # Where characters have to be spelled out, JSON has its own way.
    click.echo(json.dumps(plain, ensure_ascii=not takes_all_text(), default=_json_text))


def print_each(values: Iterable[object]) -> int:
    """One value on each line. Returns how many there were."""
    count = 0
    for value in values:
        print_json(value)
        count += 1
    return count


def print_all(rows: Iterable[Any], columns: Sequence[str], as_json: bool) -> int:
    """Print reports and the like by these of their fields, as they come. Returns how many there were."""
    if as_json:
        return print_each(rows)
    titles = [name.replace("_", " ") for name in columns]
    return print_table(([cell(getattr(row, name)) for name in columns] for row in rows), titles)


def print_records(records: Iterable[Mapping[str, Any]], as_json: bool) -> int:
    """Print records; the columns of the table are those of the first hundred. Returns how many there were."""
    if as_json:
        return print_each(records)
    rows = iter(records)
    sample = list(itertools.islice(rows, SAMPLE))
    columns = list(dict.fromkeys(key for record in sample for key in record))
    everything = itertools.chain(sample, rows)
    return print_table(([cell(record.get(key)) for key in columns] for record in everything), columns)


def print_table(lines: Iterable[Sequence[str]], columns: Sequence[str]) -> int:
    """Print lines under their header, in columns; on a terminal cells are cut to its width. Returns how many."""
    rest = iter(lines)
    sample = list(itertools.islice(rest, SAMPLE))
    widths = [max(map(len, cells)) for cells in zip(columns, *sample, strict=True)]
    if sample:
        click.secho(_line(columns, widths), bold=True)
    count = 0
    for line in itertools.chain(sample, rest):
        click.echo(_line(line, widths))
        count += 1
    return count


def print_facts(facts: Mapping[str, object]) -> None:
    """Print one thing: a line for each of its facts that is known."""
    known = {name.replace("_", " "): cell(value) for name, value in facts.items() if value is not None}
    width = max(map(len, known), default=0)
    for name, value in known.items():
        click.echo(f"{click.style(name.ljust(width), bold=True)}  {value}")


def facts_of(thing: Any) -> dict[str, Any]:
    """The fields of a report or the like, without `raw`."""
    names = [field.name for field in dataclasses.fields(thing) if field.name != "raw"]
    return {name: getattr(thing, name) for name in names}


def cell(value: object) -> str:
    """A value as people read it, on one line; control characters are spelled out, whoever sent them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S %Z}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def limited(items: Iterable[Any], limit: int | None) -> Iterator[Any]:
    """At most so many of them; no more pages are asked for."""
    return itertools.islice(items, limit)


def _json_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    if not sys.stdout.isatty():
        return line
    room = shutil.get_terminal_size().columns
    return line if len(line) <= room else line[: room - 1] + "…"
