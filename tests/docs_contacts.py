"""The tables of docs/contacts.md, from the recipes and the kinds of defects themselves.

python -m tests.docs_contacts         write them anew
"""

from __future__ import annotations

import re
from pathlib import Path

from pytest_ocbulk.contacts import BAD_KINDS
from pytest_ocbulk.contacts.recipes import RECIPES

PAGE = Path(__file__).parent.parent / "docs" / "contacts.md"
_TABLE = re.compile(r"(<!-- (\w+): python -m tests.docs_contacts -->\n).*?(<!-- end -->)", re.DOTALL)


def columns() -> str:
    """Connector, object and the header of its file."""
    rows = [
        f"| `{each.connector}` | `{each.object}` | {', '.join(each.names)} |" for each in RECIPES.values()
    ]
    return "\n".join(["| connector | object | columns |", "|---|---|---|", *rows]) + "\n"


def defects() -> str:
    """The kinds of bad rows."""
    rows = [f"| `{kind}` | {what} |" for kind, what in BAD_KINDS.items()]
    return "\n".join(["| kind | what is wrong with the row |", "|---|---|", *rows]) + "\n"


def renewed(page: str) -> str:
    """The page with its tables as they should be."""
    tables = {"columns": columns, "defects": defects}
    return _TABLE.sub(lambda found: found[1] + tables[found[2]]() + found[3], page)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
