"""`ocbulk records`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..connection import ConnectedCommand, connected
from ..output import json_option, limited, print_records

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient


@click.command(
    cls=ConnectedCommand,
    examples=[
        "ocbulk records contact --where \"C_Company='Acme'\"",
        "ocbulk records contact --json | jq -r .C_EmailAddress",
    ],
)
@click.argument("object_name", metavar="OBJECT")
@click.option("--where", metavar="EXPRESSION", help="""Only those that match, like "C_Company='Acme'".""")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@json_option
@connected
def command(
    client: BulkClient, object_name: str, where: str | None, limit: int | None, as_json: bool
) -> None:
    """List the records of an object."""
    if not print_records(limited(client.records(object_name, where), limit), as_json):
        click.echo("No records.", err=True)
