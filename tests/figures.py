"""Figures of the last long run, written into `docs/reliability.md` by the run that measured them."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"


def write(name: str, figures: Mapping[str, str], page: Path = PAGE) -> None:
    """Replace the table of figures called `name`; raises `ValueError` if the page has no place for it."""
    text = page.read_text(encoding="utf-8")
    place = re.compile(rf"(<!-- figures: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not place.search(text):
        raise ValueError(
            f"{page} has no place for the figures of {name}: <!-- figures: {name} --> ... <!-- end -->"
        )
    today = datetime.now(UTC).date().isoformat()
    rows = {**figures, "measured": f"{today}, pytest-ocbulk {version('pytest-ocbulk')}, {machine()}"}
    table = "\n".join(
        ["| figure | value |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows.items())]
    )
    page.write_text(place.sub(lambda found: f"{found[1]}{table}\n{found[2]}", text), encoding="utf-8")


def machine() -> str:
    """Where it was measured."""
    import os

    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
