"""`ocbulk upload`."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..connection import ConnectedCommand, connected
from ..output import json_option, print_json
from ..progress import counting, size
from ..verdict import check_waits, wait_and_judge, waiting_options

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient, UploadOutcomeUnknown
    from pytest_ocbulk.client.reports import JobReference


def json_object(text: str) -> dict[str, Any]:
    """The type of an option that takes JSON text of an object."""
    try:
        options = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}") from None
    if not isinstance(options, dict):
        raise click.BadParameter(f"""expected an object like {{"action": "upsert"}}, got {text}""")
    return options


@click.command(
    cls=ConnectedCommand,
    examples=[
        "ocbulk upload contacts.csv --object contact --wait",
        "ocbulk upload contacts.csv --object contact --action upsert --key C_EmailAddress",
        "ocbulk upload contacts.csv --object contacts --record-size 1 --wait --errors-to failed.csv",
    ],
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--object", "object_name", required=True, metavar="NAME", help="The object the rows are for.")
@click.option("--wait", is_flag=True, help="Wait for the job and say how it did.")
@click.option(
    "--record-size", type=click.IntRange(min=1), metavar="N", help="Rows per batch (bulkUploadRecordSize)."
)
@click.option("--action", metavar="WORD", help="create, upsert, update.")
@click.option("--key", metavar="FIELD", help="The field that identifies a record (identifierFieldName).")
@click.option(
    "--metadata", type=json_object, metavar="JSON", help="Further options of the service, as a JSON object."
)
@click.option("--callback", metavar="URL", help="To be told of the job's end.")
@waiting_options
@json_option
@connected
def command(
    client: BulkClient,
    file: Path,
    object_name: str,
    wait: bool,
    record_size: int | None,
    action: str | None,
    key: str | None,
    metadata: dict[str, Any] | None,
    callback: str | None,
    as_json: bool,
    **waiting: Any,
) -> int | None:
    """Upload a file of rows.

    CSV with a header, or JSON if the name of the file says so; a dash reads standard input.

    Without --wait it ends with 0 as soon as there is a job. With it, 0 means that all rows are in, 2 that some
    failed, 3 that the job failed or did not end in time.

    An upload is sent once. If the answer gets lost, the jobs of the instance are looked through for it; it
    ends with 3 if that cannot tell whether it arrived.
    """
    check_waits(click.get_current_context(), wait=wait)
    given = {"bulkUploadRecordSize": record_size, "action": action, "identifierFieldName": key}
    options = _options(
        file, (metadata or {}) | {name: value for name, value in given.items() if value is not None}
    )
    if key is not None and "action" not in options:
        raise click.UsageError(
            "--key names the field by which a record is found, but not what is done with it, and connectors differ:"
            " give --action upsert, update or create too"
        )
    job = _upload(client, file, object_name, options, callback)
    if wait:
        return wait_and_judge(client, job, as_json=as_json, **waiting)
    if as_json:
        print_json(job)
    else:
        click.echo(f"Job {job.id} is {job.status}.")
        click.echo(f"`ocbulk wait {job.id}` says how it ends.", err=True)
    return None


def _options(file: Path, given: dict[str, Any]) -> dict[str, Any]:
    """The metadata of the upload: what was given, the format, and a mark by which its job is found if it gets lost."""
    from pytest_ocbulk.client.lost_upload import MARK

    known = {"format": "json"} if file.suffix in (".json", ".jsonl") else {}
    return known | {MARK: f"ocbulk {secrets.token_hex(8)}"} | given


def _upload(
    client: BulkClient, file: Path, object_name: str, options: dict[str, Any], callback: str | None
) -> Any:
    from pytest_ocbulk.client import UploadOutcomeUnknown

    piped = str(file) == "-"
    name = "standard input" if piped else file.name
    try:
        with counting(f"Uploading {name}", size) as progress:
            return client.upload(
                object_name, sys.stdin.buffer if piped else file, options, callback, progress
            )
    except UploadOutcomeUnknown as lost:
        return _found(client, lost)


def _found(client: BulkClient, lost: UploadOutcomeUnknown) -> JobReference:
    """The job of an upload whose answer got lost; raises `OutcomeUnknown` where that cannot be told."""
    from pytest_ocbulk.client import AmbiguousUpload, BulkClientError, OutcomeUnknown

    click.echo(f"The answer got lost: {lost.reason}.", err=True)
    try:
        report = client.find_upload(lost.attempt)
    except AmbiguousUpload as error:
        ids = [each.id for each in error.candidates]
        which = (
            f"Any of the jobs {', '.join(ids)} can be the upload"
            if len(ids) > 1
            else (f"Job {ids[0]} can be the upload, or an earlier one")
        )
        raise OutcomeUnknown(
            f"{which}: the service does not tell; look with `ocbulk status` before you send it again."
        ) from None
    except BulkClientError as error:
        raise OutcomeUnknown(
            f"Nobody knows whether it arrived: {error}; look for its job with `ocbulk jobs` before you send it again."
        ) from None
    if report is None:
        raise click.ClickException("No job came of the upload. It can be sent again.")
    click.echo(f"Job {report.id} came of it.", err=True)
    return report
