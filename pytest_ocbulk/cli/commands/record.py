"""`ocbulk record`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click

from ..connection import Command

ANY_ADDRESS = ("", "0.0.0.0", "::")
PORTS = {"http": 80, "https": 443}


@click.command(
    cls=Command,
    examples=[
        "ocbulk record --upstream https://api.openconnectors.us2.ext.hana.ondemand.com/elements/api-v2 \\",
        "    --to recordings/import --port 8700",
    ],
)
@click.option(
    "--upstream",
    envvar="OPEN_CONNECTORS_BASE_URL",
    show_envvar=True,
    required=True,
    metavar="URL",
    help="The service to pass calls on to, up to and including /elements/api-v2.",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="A new folder for the recording.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8700, show_default=True, help="0 takes a free one."
)
@click.option(
    "--redact",
    "fields",
    multiple=True,
    metavar="FIELD",
    help="Replace the values of this field too; repeatable.",
)
def command(upstream: str, folder: Path, host: str, port: int, fields: tuple[str, ...]) -> None:
    """Record calls to a service, without its secrets.

    Stands between your code and the service: set your code's base URL to the address that is printed, and run it.
    Secrets, e-mail addresses and names are replaced by stand-ins before anything is written down; the same one has
    the same stand-in. End it with Ctrl-C; `ocbulk replay` then plays the recording against the fake.
    """
    from pytest_ocbulk.emulator.messages import BASE_PATH
    from pytest_ocbulk.recording import recorded_jobs
    from pytest_ocbulk.recording.recorder import Recorder
    from pytest_ocbulk.server import Server

    _check_other(upstream, host, port)
    recorder = Recorder(upstream, folder, fields)
    server = Server(recorder, host, port)

    def ready() -> None:
        recorder.waits.listen()
        click.echo(f"recording at {server.url}{BASE_PATH}, end with Ctrl-C")

    server.serve_forever(ready)
    recorder.close()
    click.echo(f"{recorder.written} exchanges in {folder}")
    for job in recorded_jobs(folder):
        click.echo(f"job {job.id} {job.direction} {job.object_name}: {job.timeline}")


def _check_other(upstream: str, host: str, port: int) -> None:
    """Raise `OcBulkError` when the service is to be found where the recorder listens: it would ask itself for ever."""
    from pytest_ocbulk.addresses import is_loopback
    from pytest_ocbulk.emulator.errors import OcBulkError

    parts = urlsplit(upstream)
    name = (parts.hostname or "").lower()
    same_host = name == host.lower() or (is_loopback(name) and (is_loopback(host) or host in ANY_ADDRESS))
    if same_host and (parts.port or PORTS.get(parts.scheme)) == port:
        raise OcBulkError(
            f"--upstream {upstream} is where the recorder itself is to listen; give it another --port, or the address"
            " of the service"
        )
