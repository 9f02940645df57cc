"""Results of a job, to a file with a bar, or to standard output as they are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from .new_file import STDOUT, NewFile
from .progress import counting, size

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient
    from pytest_ocbulk.client.bulk_client import Format
    from pytest_ocbulk.client.reports import JobReference

F = TypeVar("F", bound=Callable[..., Any])


def output_options(function: F) -> F:
    """Where the result goes, and in which format."""
    function = click.option(
        "--format",
        "file_format",
        type=click.Choice(["csv", "json"]),
        default="csv",
        show_default=True,
        help="What to ask for; json comes as JSON lines or as an array, as the connector has it.",
    )(function)
    return click.option(
        "-o",
        "--output",
        type=NewFile(),
        metavar="FILE",
        help="Write it here, - for standard output. A file that is there is replaced when all of the new one has come.",
    )(function)


def download(
    client: BulkClient, job: JobReference, object_name: str, file_format: str, output: Path | None
) -> None:
    """Stream a result to `output`, or to standard output for None."""
    wanted = cast("Format", file_format)
    if output in (None, STDOUT):
        client.download(job, object_name, wanted, to=sys.stdout.buffer)
        return
    with counting(f"Downloading {output.name}", size) as progress:
        client.download(job, object_name, wanted, to=output, progress=progress)
