"""The table of docs/control.md, from the calls themselves.

python -m tests.docs_control         write it anew
"""

from __future__ import annotations

from pathlib import Path

from fake_server.control import ROOT
from fake_server.control_calls import CALLS

PAGE = Path(__file__).parent.parent / "docs" / "control.md"
BEGIN, END = "<!-- table: python -m tests.docs_control -->\n", "<!-- end of table -->\n"


def table() -> str:
    """All calls."""
    rows = [f"| `{each.method} {ROOT}{each.template}` | {each.does} |" for each in CALLS]
    return "\n".join(["| call | what it does |", "|---|---|", *rows]) + "\n"


def renewed(page: str) -> str:
    """The page with the table as it is to be."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
