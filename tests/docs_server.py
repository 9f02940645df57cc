"""The table of options in docs/server.md, from the command itself.

python -m tests.docs_server         write it anew
"""

from __future__ import annotations

from pathlib import Path

import click

from fake_server.cli import main

PAGE = Path(__file__).parent.parent / "docs" / "server.md"
BEGIN, END = "<!-- table: python -m tests.docs_server -->\n", "<!-- end of table -->\n"
NOT_LISTED = ("help", "version")


def table() -> str:
    """All options with their variables and defaults."""
    rows = [
        _row(each) for each in main.params if isinstance(each, click.Option) and each.name not in NOT_LISTED
    ]
    head = ["| option | variable | default | what it does |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def _row(option: click.Option) -> str:
    name = option.opts[0]
    kind = "" if option.is_flag else f" {option.make_metavar(click.Context(main))}".replace("|", "\\|")
    variable = f"OCBULK_{name.removeprefix('--').replace('-', '_').upper()}"
    return f"| `{name}{kind}` | `{variable}` | {_default(option)} | {option.help} |"


def _default(option: click.Option) -> str:
    if isinstance(option.show_default, str):
        return option.show_default
    if option.is_flag or not isinstance(option.default, str | int | tuple):
        return ""
    value = ", ".join(option.default) if isinstance(option.default, tuple) else option.default
    return f"`{value}`" if value else ""


def renewed(page: str) -> str:
    """The page with the table as it is to be."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
