"""`ocbulk download`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..connection import ConnectedCommand, connected
from ..results import download, output_options

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient


@click.command(
    cls=ConnectedCommand,
    examples=[
        "ocbulk download 1234 contact -o contacts.csv",
        "ocbulk download 1234 contact --format json | jq .",
    ],
)
@click.argument("job")
@click.argument("object_name", metavar="OBJECT")
@output_options
@connected
def command(client: BulkClient, job: str, object_name: str, output: Path | None, file_format: str) -> None:
    """Fetch the result of a finished job.

    To a file, or to standard output without -o.
    """
    download(client, job, object_name, file_format, output)
