"""`ocbulk query`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..connection import ConnectedCommand, connected
from ..group import Exit
from ..progress import watching
from ..results import download, output_options
from ..verdict import duration

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient

_FROM = re.compile(r"\bfrom\s+`?([^\s`]+)", re.IGNORECASE)


@click.command(
    cls=ConnectedCommand,
    examples=[
        "ocbulk query \"select * from contact where C_Company='Acme'\" -o acme.csv",
        'ocbulk query "select C_EmailAddress from contact limit 10"',
    ],
)
@click.argument("q", metavar="QUERY")
@output_options
@click.option(
    "--timeout",
    type=duration,
    default="1h",
    show_default=True,
    metavar="TIME",
    help="How long to wait for the job: 90s, 10m, 1h30m.",
)
@connected
def command(client: BulkClient, q: str, output: Path | None, file_format: str, timeout: float) -> int:
    """Select rows and fetch them.

    Starts a job, waits for it and fetches its result.
    """
    job = client.query(q)
    with watching(f"Job {job.id}") as on_poll:
        report = client.wait(job, timeout, on_poll=on_poll)
    if not report.succeeded:
        reason = f": {report.error}" if report.error else ""
        click.echo(f"Job {report.id} ended {report.status}{reason}", err=True)
        return Exit.JOB_FAILED
    named = _FROM.search(q)
    # The service does not hold the name against the query (protocol.md 3.7).
    download(client, report, named.group(1) if named else "result", file_format, output)
    return Exit.FINE
