"""`ocbulk status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..connection import ConnectedCommand, connected
from ..output import facts_of, json_option, print_facts, print_json

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient


@click.command(
    cls=ConnectedCommand,
    examples=[
        "ocbulk status 1234",
    ],
)
@click.argument("job")
@json_option
@connected
def command(client: BulkClient, job: str, as_json: bool) -> None:
    """Show the present status of a job.

    Ends with 0 whatever the status is; `ocbulk wait` judges.
    """
    report = client.status(job)
    print_json(report) if as_json else print_facts(facts_of(report))
