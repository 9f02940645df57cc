"""The `ocbulk` group: finds its commands by looking into `commands/`, and has one place for exit codes."""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType
from typing import Any, NoReturn

import click

from pytest_ocbulk import process_streams
from pytest_ocbulk.emulator.errors import OcBulkError, nearest

from . import commands


class Exit(IntEnum):
    """What `ocbulk` ends with."""

    FINE = 0
    REFUSED = 1
    ROWS_FAILED = 2
    JOB_FAILED = 3
    INTERRUPTED = 130
    TERMINATED = 143


class CommandDirectory(click.Group):
    """A group whose commands are the modules of `commands/`, imported when they are asked for.

    click ends with 2 on a usage error, which here means failed rows, and shows a traceback for everything it does not
    know; `main` does neither.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names of all commands."""
        return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, None if there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name.replace('-', '_')}")
        command = module.command
        if not isinstance(command, click.Command):
            raise TypeError(f"{module.__name__}.command must be a click command, got {command!r}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name in the refusal."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            ctx.fail(f"No such command {args[0]!r}{nearest(args[0], self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def main(  # type: ignore[override]  # it never returns, whatever standalone_mode says
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run, and leave the process with one of `Exit`."""
        extra.pop("standalone_mode", None)
        process_streams.spell_out_what_it_cannot_say()
        extra.setdefault("color", False if process_streams.plain() else None)
        try:
            with _ends_in_order_at_sigterm(), _warnings_in_words():
                code = super().main(args, prog_name, standalone_mode=False, **extra)
        except click.ClickException as error:
            error.show()
            code = Exit.REFUSED
        except (click.Abort, KeyboardInterrupt):
            click.echo("Interrupted.", err=True)
            code = Exit.INTERRUPTED
        except BrokenPipeError:  # whoever read our output has had enough (`| head`)
            code = Exit.REFUSED
        except Exception as error:
            code = _told(error)
            if code is None:
                raise
        process_streams.give_up_if_unwritable()
        sys.exit(int(code or 0))


@contextmanager
def _ends_in_order_at_sigterm() -> Iterator[None]:
    """Let SIGTERM leave every block as Ctrl-C does: a bar that is drawn has hidden the cursor."""

    def end(_number: int, _frame: FrameType | None) -> None:
        sys.exit(Exit.TERMINATED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _warnings_in_words() -> Iterator[None]:
    """Show warnings of the client as lines for a person, without the place in the program."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
        yield


def _told(error: Exception) -> Exit | None:
    """Tell a person what went wrong, without a traceback; None for what nobody foresaw."""
    from pytest_ocbulk.client import BulkClientError, OutcomeUnknown, WaitTimedOut

    if not isinstance(error, (BulkClientError, OcBulkError, OSError)):
        return None
    click.echo(f"Error: {_words(error)}", err=True)
    if isinstance(error, WaitTimedOut):
        click.echo("The job goes on; `ocbulk wait` takes up the waiting again.", err=True)
    return Exit.JOB_FAILED if isinstance(error, (WaitTimedOut, OutcomeUnknown)) else Exit.REFUSED


def _words(error: Exception) -> str:
    """What went wrong; of the system's errors without Python's `[Errno 13]`."""
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    place = "standard output" if error.filename is None else os.fsdecode(error.filename)
    return f"{place}: {error.strerror}"


@click.group(
    cls=CommandDirectory,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 all rows are in; 1 wrong usage, or the service refused; 2 some rows failed;"
    " 3 the job failed or did not end in time; 130 interrupted; 143 terminated.",
)
@click.version_option(package_name="pytest-ocbulk", prog_name="ocbulk")
def ocbulk() -> None:
    """Talk to the bulk API of SAP Open Connectors (Cloud Elements), or to a fake of it.

    Which connector instance is meant is said by options or, better for secrets, by the environment:
    OPEN_CONNECTORS_BASE_URL, OPEN_CONNECTORS_ELEMENT_TOKEN, OPEN_CONNECTORS_USER_SECRET and, where they are
    needed, OPEN_CONNECTORS_ORGANIZATION_SECRET and OPEN_CONNECTORS_HUB.
    """


def main() -> None:
    """The entry point."""
    ocbulk.main(prog_name="ocbulk")
