"""`ocbulk wait`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..connection import ConnectedCommand, connected
from ..output import json_option
from ..verdict import wait_and_judge, waiting_options

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient


@click.command(
    cls=ConnectedCommand,
    examples=[
        "ocbulk wait 1234",
        "ocbulk wait 1234 --timeout 10m --errors-to failed.csv",
    ],
)
@click.argument("job")
@waiting_options
@json_option
@connected
def command(
    client: BulkClient, job: str, timeout: float, interval: float, errors_to: Path | None, as_json: bool
) -> int:
    """Wait for a job to end and say how it did.

    Ends with 0 if all rows are in, 2 if some failed, 3 if the job failed or did not end in time.
    """
    return wait_and_judge(
        client, job, timeout=timeout, interval=interval, errors_to=errors_to, as_json=as_json
    )
