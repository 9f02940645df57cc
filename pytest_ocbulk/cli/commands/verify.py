"""`ocbulk verify`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pytest_ocbulk.emulator.dialect import DIALECTS
from pytest_ocbulk.process_streams import can_redraw

from ..connection import Command
from ..group import Exit
from ..new_file import NewFile, written
from ..output import print_table


@click.command(
    cls=Command,
    examples=[
        "ocbulk verify --url https://api.openconnectors.us2.ext.hana.ondemand.com/elements/api-v2 --readonly",
        "ocbulk verify --accept accepted.toml --junit parity.xml",
        "ocbulk verify --case a_batch_fails_as_a_whole",
    ],
)
@click.option(
    "--url",
    envvar="OPEN_CONNECTORS_BASE_URL",
    show_envvar=True,
    required=True,
    metavar="URL",
    help="Where the service is, up to and including /elements/api-v2.",
)
@click.option(
    "--settings",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="What the cases may use there; ocbulk_contract.toml of this directory if not given.",
)
@click.option("--readonly", is_flag=True, help="Only cases that change nothing.")
@click.option(
    "--dialect",
    type=click.Choice(list(DIALECTS)),
    default="documented",
    show_default=True,
    help="The dialect of the fake to compare with.",
)
@click.option(
    "--case", "names", multiple=True, metavar="NAME", help="Only this case; can be given several times."
)
@click.option(
    "--accept",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Differences that are accepted, each with its reason and its last day.",
)
@click.option("--name", default="", help="What to call the service in the table; its URL if not given.")
@click.option("--json", "as_json", is_flag=True, help="One JSON value instead of the table.")
@click.option(
    "--junit",
    type=NewFile(),
    metavar="FILE",
    help="Write JUnit XML as well.",
)
@click.option(
    "--note",
    type=NewFile(appended=True),
    metavar="FILE",
    help="Append what was checked today to this file, for docs/parity.md.",
)
def command(
    url: str,
    settings: Path | None,
    readonly: bool,
    dialect: str,
    names: tuple[str, ...],
    name: str,
    accept: Path | None,
    as_json: bool,
    junit: Path | None,
    note: Path | None,
) -> int:
    """Compare a service with the fake, case by case.

    Runs the contract at the service and at the fake, and prints what both did. The secrets come from
    OPEN_CONNECTORS_ELEMENT_TOKEN, OPEN_CONNECTORS_USER_SECRET and OPEN_CONNECTORS_ORGANIZATION_SECRET, so that they
    stand in no shell history. Records that are made there are marked and removed again.

    Ends with 2 if there is a difference that is not accepted, or an accepted one that is gone or has expired, and
    with 1 if nothing could be compared.
    """
    from pytest_ocbulk.contract import report
    from pytest_ocbulk.contract.verifying import verify

    parity = verify(
        url,
        settings=settings,
        readonly=readonly,
        dialect=dialect,
        names=names,
        name=name,
        accept=accept,
        on_case=_tell,
    )
    if as_json:
        click.echo(json.dumps(report.as_json(parity), ensure_ascii=False))
    else:
        print_table(report.table(parity), report.COLUMNS)
        for line in report.notes(parity):
            click.echo(line)
        click.echo(report.summary(parity))
    if junit:
        with written(junit) as file:
            file.write(report.as_junit(parity).encode())
    if note:
        with note.open("a", encoding="utf-8") as history:
            history.write(report.as_record(parity) + "\n")
    if parity.failed:
        return Exit.ROWS_FAILED
    if not parity.compared:
        click.echo("Error: nothing was compared: every case was skipped, its note says why", err=True)
        return Exit.REFUSED
    return Exit.FINE


def _tell(name: str) -> None:
    """Say on a terminal which case runs: at a real service each takes its time."""
    if can_redraw():
        click.echo(f"\r\033[K{name}", nl=False, err=True)
