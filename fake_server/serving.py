"""The standalone server put together: emulator, control API, callbacks, log, and the end of it all."""

from __future__ import annotations

from collections.abc import Iterable

import click

from pytest_ocbulk.addresses import is_loopback
from pytest_ocbulk.delivery import Deliverer
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.server import Limits, Server

from .access_log import AccessLog, LogFormat
from .app import FakeServerApp
from .banner import announcement
from .control import ControlApi
from .guard import Guard

DATA_FILE_LOST = 3
"""The exit code when the data file could not be written any more."""

MAX_CONNECTIONS = 2000
"""Connections at a time; each costs a descriptor."""

GRACE = 5.0
"""Seconds that requests under way may take when the server is told to stop."""

_DESCRIPTORS = 2 * MAX_CONNECTIONS


def serve(
    emulator: Emulator,
    host: str,
    port: int,
    *,
    quiet: bool = False,
    token: str | None = None,
    callback_hosts: Iterable[str] = (),
    log_format: LogFormat | None = None,
) -> int:
    """Serve in the foreground until SIGINT or SIGTERM; return the exit code.

    `token` is the control token; where other machines reach the server and none is given, one is made up and told.
    Raises `OcBulkError` when the server cannot listen.
    """
    _allow_descriptors()
    made_up = _new_token() if token is None and not is_loopback(host) else None
    guard = Guard(host, made_up or token)
    log = AccessLog(log_format) if log_format else None
    if log is not None:
        log.configure()
    with Deliverer(emulator, allowed_hosts=callback_hosts, to_allow="--callback-host {host}") as deliverer:
        server = _server(emulator, guard, port, deliverer, log)

        def announce() -> None:
            click.echo(announcement(server.url, host, emulator.instances, made_up, quiet=quiet))
            deliverer.wake()  # an earlier run may have left some

        server.serve_forever(announce)
    if emulator.ledger.failure:
        click.echo(f"Error: {emulator.ledger.failure}", err=True)
        return DATA_FILE_LOST
    return 0


def _new_token() -> str:
    import secrets  # a server for this machine alone needs no token

    return secrets.token_urlsafe(24)


def _server(
    emulator: Emulator, guard: Guard, port: int, deliverer: Deliverer, log: AccessLog | None
) -> Server:
    """Emulator and control API behind one port; it stops when the data file is lost."""

    def stop() -> None:
        server.stop()

    control = ControlApi(emulator, guard=guard, deliver=deliverer.wake)
    server = Server(
        FakeServerApp(emulator, control, on_lost=stop),
        guard.host,
        port,
        limits=Limits(max_connections=MAX_CONNECTIONS),
        on_wake=deliverer.wake,
        grace=GRACE,
        on_exchange=log.exchanged if log else None,
    )
    return server


def _allow_descriptors() -> None:
    """Use more descriptors than the shell's first limit, as far as its last one lets us."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
