"""The parity table as text for people, as JSON, and as JUnit for a build server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from .parity import Line, Parity, Verdict

COLUMNS = ("verdict", "case", "expected from the fake", "seen at the target")
"""The verdict stands first, because a terminal cuts long lines."""


def table(parity: Parity) -> Iterator[tuple[str, str, str, str]]:
    """The cells of each line, in the order of `COLUMNS`."""
    for line in parity.lines:
        name = f"{line.case}: {line.fact}" if line.fact else line.case
        if line.verdict is Verdict.SKIPPED:
            yield line.verdict.value, name, "", line.note
        else:
            yield line.verdict.value, name, _cut(line.expected), _cut(line.seen)


def notes(parity: Parity) -> Iterator[str]:
    """What is to be said below the table, about what does not hold or is accepted."""
    for line in parity.lines:
        if line.note and line.verdict not in (Verdict.SAME, Verdict.SKIPPED):
            name = f"{line.case}: {line.fact}" if line.fact else line.case
            yield f"{line.verdict.value} {name}: {line.note}"


def summary(parity: Parity) -> str:
    """One line: how many of what, at what, compared with what, on which day."""
    counts = [f"{parity.count(verdict)} {verdict.value}" for verdict in Verdict if parity.count(verdict)]
    return f"{parity.target} against {parity.fake}, {parity.checked}: {', '.join(counts)}"


def as_json(parity: Parity) -> dict[str, Any]:
    """The whole table as one JSON value."""
    return {
        "target": parity.target,
        "fake": parity.fake,
        "checked": parity.checked.isoformat(),
        "failed": parity.failed,
        "lines": [
            {
                "case": line.case,
                "fact": line.fact,
                "expected": line.expected,
                "seen": line.seen,
                "verdict": line.verdict.value,
                "note": line.note,
            }
            for line in parity.lines
        ],
    }


def as_junit(parity: Parity) -> str:
    """JUnit XML: one test case for each line."""
    suite = ET.Element(
        "testsuite",
        name=f"ocbulk verify: {parity.target}",
        tests=str(len(parity.lines)),
        failures=str(sum(line.verdict.fails for line in parity.lines)),
        errors="0",
        skipped=str(parity.count(Verdict.SKIPPED)),
        timestamp=f"{parity.checked.isoformat()}T00:00:00",
    )
    for line in parity.lines:
        name = f"{line.case}: {line.fact}" if line.fact else line.case
        element = ET.SubElement(suite, "testcase", classname="pytest_ocbulk.contract", name=name)
        if line.verdict.fails:
            ET.SubElement(element, "failure", message=_failure(line)).text = line.note
        elif line.verdict is Verdict.SKIPPED:
            ET.SubElement(element, "skipped", message=line.note)
    suites = ET.Element("testsuites")
    suites.append(suite)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def as_record(parity: Parity) -> str:
    """The table as a line of JSON for the history that `docs/parity.md` is made from."""
    verdicts: dict[str, str] = {}
    for line in parity.lines:
        verdicts[line.case] = (
            line.verdict.value if verdicts.get(line.case) in (None, "same") else verdicts[line.case]
        )
    record = {"target": parity.target, "checked": parity.checked.isoformat(), "cases": verdicts}
    return json.dumps(record, sort_keys=True)


def _failure(line: Line) -> str:
    if line.verdict is Verdict.GONE:
        return line.note
    return f"{line.verdict.value}: expected {line.expected}, seen {line.seen}"


def _cut(text: str, width: int = 40) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
