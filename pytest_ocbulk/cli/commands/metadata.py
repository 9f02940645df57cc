"""`ocbulk metadata`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..connection import ConnectedCommand, connected
from ..output import json_option, print_all

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient


@click.command(
    cls=ConnectedCommand,
    examples=[
        "ocbulk metadata contact",
    ],
)
@click.argument("object_name", metavar="OBJECT")
@json_option
@connected
def command(client: BulkClient, object_name: str, as_json: bool) -> None:
    """List the fields of an object."""
    print_all(client.metadata(object_name), ["name", "type", "required", "read_only"], as_json)
