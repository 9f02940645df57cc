"""The documentation of the protocol says what the code does: generated parts are in step, references lead somewhere."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from pytest_ocbulk.emulator import form, nesting, ocnql_grammar, ocnql_tokens, paging, rows, table
from pytest_ocbulk.emulator.dialect import Quirks
from pytest_ocbulk.emulator.endpoints import call
from pytest_ocbulk.emulator.journal import CAPACITY
from pytest_ocbulk.emulator.routes import ROUTES

from .docs_protocol import DOCS, PROTOCOL, QUIRKS, protocol, quirks

ROOT = DOCS.parent
HEADINGS = set(re.findall(r"^#+ (\d+(?:\.\d+)?) ", PROTOCOL.read_text(encoding="utf-8"), re.MULTILINE))
REFERENCE = re.compile(r"protocol\.md (\d+(?:\.\d+)?(?:(?:, | to | and )\d+(?:\.\d+)?)*)")


def test_the_calls_are_those_of_the_routes_and_the_golden_exchanges() -> None:
    text = PROTOCOL.read_text(encoding="utf-8")
    assert text == protocol(), "run: python -m tests.docs_protocol"
    assert text.count("### `") == len(ROUTES)
    assert "\n- " in text


def test_the_quirks_are_those_of_the_code() -> None:
    text = QUIRKS.read_text(encoding="utf-8")
    assert text == quirks(), "run: python -m tests.docs_protocol"
    assert re.findall(r"^\| `(\w+)`", text, re.MULTILINE) == [each.name for each in fields(Quirks)]


def files() -> list[Path]:
    """Everything that may name a section of docs/protocol.md."""
    folders = ("pytest_ocbulk", "fake_server", "fixtures", "tests")
    return [
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".toml", ".md")
    ]


def test_sections_that_are_named_exist() -> None:
    named = {
        (section, path.name)
        for path in files()
        for group in REFERENCE.findall(path.read_text(encoding="utf-8"))
        for section in re.findall(r"\d+(?:\.\d+)?", group)
    }
    assert len(named) > 100
    assert sorted((section, name) for section, name in named if section not in HEADINGS) == []


def test_the_sections_are_counted_without_a_gap() -> None:
    chapters = [heading for heading in HEADINGS if "." not in heading]
    assert sorted(map(int, chapters)) == list(range(15))
    for chapter in chapters:
        parts = sorted(
            int(heading.split(".")[1]) for heading in HEADINGS if heading.startswith(f"{chapter}.")
        )
        assert parts == list(range(1, len(parts) + 1))


@pytest.mark.parametrize("page", ["protocol.md", "limits.md", "quirks.md"])
def test_links_lead_to_pages(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (DOCS / target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("| a JSON body | 8 MiB |", call.BODY_LIMIT == 8 * 2**20),
        ("| the `metaData` part | 1 MiB |", form.METADATA_LIMIT == 2**20),
        (f"| columns of an object | {table.MAX_COLUMNS} |", True),
        ("| a line of a CSV file, a JSON value | 16 MiB |", rows.LINE_LIMIT == 16 * 2**20),
        (f"| a CSV field | {rows.FIELD_LIMIT} characters |", True),
        (f"| levels of a JSON record that are columns | {nesting.MAX_DEPTH} |", True),
        (
            (
                f"| a query | {ocnql_tokens.MAX_LENGTH} characters, {ocnql_grammar.MAX_CONDITIONS} conditions,"
                f" {ocnql_grammar.MAX_DEPTH} levels, {ocnql_grammar.MAX_VALUES} values |"
            ),
            True,
        ),
        (f"| a page | {paging.MAX_PAGE_SIZE} records;", True),
        (f"| the journal | {CAPACITY} exchanges", True),
    ],
)
def test_the_sizes_in_limits_are_those_of_the_code(said: str, value: bool) -> None:
    assert value
    assert said in (DOCS / "limits.md").read_text(encoding="utf-8")
