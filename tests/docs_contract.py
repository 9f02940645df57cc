"""What docs/contract.md and docs/parity.md show of the contract.

    python -m tests.docs_contract

writes docs/parity.md and the marked parts of docs/contract.md anew. The days on which cases were checked at a service
are those of docs/checked.jsonl, to which `ocbulk verify --note docs/checked.jsonl --name NAME` adds a line.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from typing import Any

from pytest_ocbulk.contract.case import Case, Changes
from pytest_ocbulk.contract.fakes import fake
from pytest_ocbulk.contract.running import all_cases, observe
from pytest_ocbulk.contract.settings import EXAMPLES, ContractSettings

DOCS = Path(__file__).parent.parent / "docs"
CONTRACT, PARITY, CHECKED = DOCS / "contract.md", DOCS / "parity.md", DOCS / "checked.jsonl"
HEAD = """# Parity

Each behaviour that the [contract](contract.md) checks, the evidence it stands on, and when it was last checked against
what. Every run of our tests holds the fake to every line, through every door and in both dialects; the last column
tells of real services. This page is generated (`python -m tests.docs_contract`) from the cases and the checks that
were sent in.

Evidence, strongest first: `[live-test]` the vendor's own tests against the running service; `[client]` a real client
relies on it; `[docs]` pages of the vendor or of SAP; `[swagger]` the vendor's API description; `[inferred]` our choice,
for want of a source: a check against an account would be news.
"""


def parity_page() -> str:
    """The whole of docs/parity.md."""
    lines = CHECKED.read_text().splitlines() if CHECKED.exists() else []
    checks = [json.loads(line) for line in lines]
    parts = [HEAD, _told(checks)]
    for area, cases in groupby(all_cases(), key=lambda case: case.area):
        parts.append(f"## {area.capitalize()}\n\n{_table(list(cases), checks)}")
    return "\n".join(parts)


def _told(checks: list[dict[str, Any]]) -> str:
    if checks:
        return f"Checked against: {', '.join(sorted({check['target'] for check in checks}))}.\n"
    return (
        "No check against a real account has been sent in yet. If you have one: `ocbulk verify --readonly` takes a\n"
        "minute, and its table is welcome as an issue.\n"
    )


def _table(cases: list[Case], checks: list[dict[str, Any]]) -> str:
    rows = [
        "| behaviour | evidence | changes there | last checked at a service |",
        "| --- | --- | --- | --- |",
    ]
    rows += [
        f"| {case.title} (`{case.name}`) | {case.source} | {case.changes.value} | {_last(case, checks)} |"
        for case in cases
    ]
    return "\n".join(rows) + "\n"


def _last(case: Case, checks: list[dict[str, Any]]) -> str:
    """The last check by each target."""
    last: dict[str, str] = {}
    for check in checks:
        verdict = check["cases"].get(case.name)
        if verdict not in (None, "skipped"):
            last[check["target"]] = f"{check['checked']} {check['target']}: {verdict}"
    return "<br>".join(last.values()) or "never"


def contract_page() -> str:
    """docs/contract.md with its marked parts as they are now."""
    page = CONTRACT.read_text()
    for mark, text in (("example", example()), ("cost", cost()), ("settings", settings())):
        place = re.compile(rf"( *)<!-- {mark} -->\n(?:.*?<!-- end of {mark} -->\n)?", re.DOTALL)
        found = place.search(page)
        assert found is not None, mark
        page = page[: found.start()] + _marked(found[1], mark, text) + page[found.end() :]
    return page


def _marked(indent: str, mark: str, text: str) -> str:
    lines = [f"<!-- {mark} -->", "", *text.splitlines(), "", f"<!-- end of {mark} -->"]
    return "".join(f"{indent}{line}".rstrip() + "\n" for line in lines)


def example() -> str:
    """The settings of the walk-through's contact."""
    return f"```toml\n{(EXAMPLES / 'marketing.toml').read_text()}```"


def settings() -> str:
    """Every key of ocbulk_contract.toml."""
    rows = ["| key | default | for |", "| --- | --- | --- |"]
    defaults = ContractSettings()
    for each in fields(ContractSettings):
        default = getattr(defaults, each.name)
        rows.append(f"| `{each.name}` | {f'`{default}`' if default else ''} | {each.metadata['need']} |")
    return "\n".join(rows)


def cost() -> str:
    """What a whole run and a readonly run take, counted at the fake."""
    cases = all_cases()
    rows = ["| | cases | calls | jobs | rows, removed again |", "| --- | --- | --- | --- | --- |"]
    for title, readonly in (("everything", False), ("`--readonly`", True)):
        with fake("requests") as target:
            target.readonly = readonly
            ran = [case for case in cases if not observe(case, target).skipped]
            calls, rows_made = target.calls, target.rows
            jobs = len(target.ask("GET", "/bulk/jobs", params={"pageSize": 5000}).json())
        rows.append(f"| {title} | {len(ran)} | {calls} | {jobs} | {rows_made} |")
    writing = sum(case.changes is not Changes.NOTHING for case in cases)
    return "\n".join(rows) + (
        f"\n\nCounted at the fake, where a job takes two looks; {writing} of the {len(cases)} cases wait for a job or"
        " change records."
    )


if __name__ == "__main__":
    CONTRACT.write_text(contract_page())
    PARITY.write_text(parity_page())
