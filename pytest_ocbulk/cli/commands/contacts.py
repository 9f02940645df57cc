"""`ocbulk contacts`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..connection import Command
from ..new_file import STDOUT, NewFile
from ..progress import counting, rows

_NEWLINES = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


@click.command(
    cls=Command,
    examples=[
        "ocbulk contacts 10",
        "ocbulk contacts 1000000 -o contacts.csv --locale de_DE --seed 7",
        "ocbulk contacts 500 --connector sqlserver --object contacts -o contacts.csv",
    ],
)
@click.argument("number", type=click.IntRange(min=0))
@click.option(
    "-o",
    "--output",
    type=NewFile(),
    metavar="FILE",
    help="Write them here instead of to standard output.",
)
@click.option(
    "--connector",
    default="marketing",
    show_default=True,
    help="marketing, sqlserver, sage200.",
)
@click.option(
    "--object", "object_name", default="contact", show_default=True, metavar="NAME", help="For which object."
)
@click.option("--locale", default="en_US", show_default=True, help="Any locale of Faker.")
@click.option("--seed", default="0", show_default=True, help="The same seed makes the same file.")
@click.option("--encoding", default="utf-8", show_default=True, help="Any encoding of Python.")
@click.option("--bom", is_flag=True, help="Begin with a byte order mark.")
@click.option("--delimiter", type=click.Choice(list(_DELIMITERS)), default="comma", show_default=True)
@click.option("--newline", type=click.Choice(list(_NEWLINES)), default="lf", show_default=True)
def command(
    number: int,
    output: Path | None,
    object_name: str,
    seed: str,
    delimiter: str,
    newline: str,
    **options: Any,
) -> None:
    """Make a CSV file of contacts.

    NUMBER people from Faker, with keys and e-mail addresses that are unique.
    """
    from pytest_ocbulk.contacts import write_contacts

    options |= {"delimiter": _DELIMITERS[delimiter], "newline": _NEWLINES[newline]}
    options |= {"object": object_name, "seed": int(seed) if seed.isdecimal() else seed}
    if output in (None, STDOUT):
        write_contacts(sys.stdout.buffer, number, **options)
        return
    with counting(f"Writing {output.name}", rows) as progress:
        write_contacts(output, number, progress=progress, **options)
