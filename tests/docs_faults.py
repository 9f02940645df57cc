"""The table of docs/faults.md, from the kinds of faults themselves.

python -m tests.docs_faults         write it anew
"""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING
from pathlib import Path

from pytest_ocbulk.emulator.clock import spell
from pytest_ocbulk.emulator.faults import Fault
from pytest_ocbulk.emulator.faults.kinds import KINDS
from pytest_ocbulk.emulator.faults.text import arguments

PAGE = Path(__file__).parent.parent / "docs" / "faults.md"
BEGIN, END = "<!-- table: python -m tests.docs_faults -->\n", "<!-- end of table -->\n"
TITLES = {
    "answer": "Faults of the answer, on any operation but `callback`",
    "body": "Faults of the request's body, on operations that have one",
    "callback": "Faults of the callback, on `callback`",
}


def table() -> str:
    """All kinds, by what they aim at."""
    parts = []
    for aim, title in TITLES.items():
        rows = [row(kind) for kind in KINDS.values() if kind.aim == aim]
        parts.append("\n".join([f"**{title}**\n", HEADS[aim], *rows]) + "\n")
    return "\n".join(parts)


HEADS = {
    "answer": "| fault | what happens | phases | in-process |\n|---|---|---|---|",
    "body": "| fault | what happens | phases | in-process |\n|---|---|---|---|",
    "callback": "| fault | what happens |\n|---|---|",
}


def row(kind: type[Fault]) -> str:
    """One kind."""
    cells = [f"`{signature(kind)}`", " ".join(inspect.cleandoc(kind.__doc__ or "").split())]
    cells[1] = re.sub(r" \(protocol\.md [^)]*\)", "", cells[1])
    if kind.aim != "callback":
        cells += [" or ".join(kind.phases), "needs a socket" if kind.needs_socket else "yes"]
    return f"| {' | '.join(cells)} |"


def signature(kind: type[Fault]) -> str:
    """How its constructor is called, with what holds unless it is told."""
    shown = []
    for name, argument in arguments(kind).items():
        default = argument.default
        if isinstance(default, int | float) and "duration" in argument.metadata["word"].says:
            default = spell(default)
        shown.append(name if default is MISSING else f"{name}={default!r}")
    return f"{kind.kind}({', '.join(shown)})"


def written(page: str) -> str:
    """The page with the table of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
