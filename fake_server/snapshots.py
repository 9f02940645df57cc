"""Named states of a data file: `ocbulk-server snapshot save|load|list`, on a file that no server uses.

A running server saves its own through the control API.

Snapshots of `FILE` are data files themselves, in the directory `FILE.snapshots`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import click

from pytest_ocbulk.emulator.errors import OcBulkError, nearest
from pytest_ocbulk.emulator.store import Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
END = ".ocbulk"
"""What the names of their files end with."""


def save(data: str, name: str) -> Path:
    """Keep the present state of a data file under a name, which may be in use already; return where.

    Raises `OcBulkError`.
    """
    if not Path(data).exists():
        raise OcBulkError(
            f"{data}: there is no such data file; a server makes it: ocbulk-server --data {data}"
        )
    place = _place(data, name)
    place.parent.mkdir(exist_ok=True)
    _data_files().copy(data, str(place))
    return place


def save_open(store: Store, name: str) -> Path:
    """The same for a data file that this process uses, under the emulator's lock; raises `OcBulkError`."""
    if not store.path:
        raise OcBulkError("nothing is kept, so there is nothing to save; start the server with --data FILE")
    place = _place(store.path, name)
    place.parent.mkdir(exist_ok=True)
    _data_files().copy_open(store.db, str(place))
    return place


def load(data: str, name: str) -> None:
    """Put a data file back into a state that was kept, whatever it is in now; raises `OcBulkError`."""
    place = _place(data, name)
    if not place.exists():
        known = [each for each, _ in saved(data)]
        hint = nearest(name, known) if known else "; nothing was saved so far"
        raise OcBulkError(f"{data}: no snapshot is called {name!r}{hint}")
    _data_files().replace(str(place), data)


def saved(data: str) -> list[tuple[str, Path]]:
    """The snapshots of a data file by name, oldest first."""
    found = _folder(data).glob(f"*{END}") if data else ()
    return [
        (path.name.removesuffix(END), path) for path in sorted(found, key=lambda each: each.stat().st_mtime)
    ]


def _data_files() -> ModuleType:
    from pytest_ocbulk.emulator import data_file  # not needed to start a server without one

    return data_file


def _folder(data: str) -> Path:
    return Path(f"{data}.snapshots")


def _place(data: str, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise OcBulkError(
            f"a snapshot is named with letters, digits, dots, dashes and underscores, at most 100, got {name!r}"
        )
    return _folder(data) / f"{name}{END}"


@click.group()
def snapshot() -> None:
    """Save and load named states of a data file; stop its server first."""


def _data_file(context: click.Context, option: click.Parameter, value: str) -> str:
    """The option as it was given here, or to `ocbulk-server` itself, before the command."""
    data: str = value or context.find_root().params.get("data", "")
    if not data:
        raise click.MissingParameter(ctx=context, param=option)
    return data


_data = click.option(
    "--data",
    default="",
    envvar="OCBULK_DATA",
    callback=_data_file,
    metavar="FILE",
    show_default=False,
    help="The data file of the server.  [required]",
)


@contextmanager
def _told() -> Iterator[None]:
    """Turns what went wrong into one line and exit code 1."""
    from pytest_ocbulk.process_streams import spell_out_what_it_cannot_say  # not needed to start a server

    spell_out_what_it_cannot_say()
    try:
        yield
    except OcBulkError as error:
        raise click.ClickException(str(error)) from None


@snapshot.command("save")
@click.argument("name")
@_data
def save_command(name: str, data: str) -> None:
    """Keep the present state under NAME."""
    with _told():
        place = save(data, name)
    click.echo(f"saved {name} ({place.stat().st_size:,} bytes in {place})")


@snapshot.command("load")
@click.argument("name")
@_data
def load_command(name: str, data: str) -> None:
    """Put the data file back into the state NAME."""
    with _told():
        load(data, name)
    click.echo(f"loaded {name}; start the server with --data {data}")


@snapshot.command("list")
@_data
def list_command(data: str) -> None:
    """List what was saved, oldest first."""
    found = saved(data)
    for name, path in found:
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
        click.echo(f"{name}  {when}  {path.stat().st_size:,} bytes")
    if not found:
        click.echo(f"nothing was saved so far: ocbulk-server snapshot save NAME --data {data}", err=True)
