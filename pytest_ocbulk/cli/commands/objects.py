"""`ocbulk objects`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..connection import ConnectedCommand, connected
from ..output import json_option, print_json

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient


@click.command(
    cls=ConnectedCommand,
    examples=[
        "ocbulk objects",
    ],
)
@json_option
@connected
def command(client: BulkClient, as_json: bool) -> None:
    """List the objects that the connector knows."""
    for name in client.objects():
        print_json(name) if as_json else click.echo(name)
