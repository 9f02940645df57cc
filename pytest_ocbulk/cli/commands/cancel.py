"""`ocbulk cancel`."""

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
        "ocbulk cancel 1234",
    ],
)
@click.argument("job")
@json_option
@connected
def command(client: BulkClient, job: str, as_json: bool) -> None:
    """Cancel a job.

    Shows what the job is then: it may take a while to end.
    """
    client.cancel(job)
    report = client.status(job)
    print_json(report) if as_json else click.echo(f"Job {report.id} is {report.status}.")
