"""`ocbulk-server`: the fake service as a program of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from pytest_ocbulk.emulator.connectors import BUILT_IN
from pytest_ocbulk.emulator.dialect import DIALECTS
from pytest_ocbulk.emulator.errors import OcBulkError

from .access_log import FORMATS, LogFormat
from .options import option
from .serving import serve
from .settings import DEFAULT_JOB, DEFAULT_SECRET, MAX_UPLOAD, Settings, build, check_secret

if TYPE_CHECKING:
    Words = click.Choice[str]
else:
    Words = click.Choice  # generic from click 8.2 on


class _Dialect(Words):
    """A dialect; pytest reads the same environment variable, and knows one word more."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == "both":
            self.fail(
                "'both' is for pytest, which reads OCBULK_DIALECT too and runs tests twice; a server speaks one:"
                " documented or live",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


class _Server(click.Group):
    """The server itself, and its one subcommand, imported when it is called or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Its name."""
        return ["snapshot"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        """The subcommand, None if another is meant."""
        if cmd_name != "snapshot":
            return None
        from .snapshots import snapshot

        return snapshot


def _quirks(_context: click.Context, _option: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"write it as NAME=VALUE, got {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)


def _named(context: click.Context, option: click.Parameter, path: str) -> str:
    """A file of no name is a variable that was not set: nothing would be kept, and nobody would know."""
    if not path and context.get_parameter_source(option.name or "") is not ParameterSource.DEFAULT:
        raise click.BadParameter("expected the name of a file, got none; leave it out to keep nothing")
    return path


@click.group(
    cls=_Server,
    invoke_without_command=True,
    context_settings={
        "auto_envvar_prefix": "OCBULK",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
        "show_default": True,
    },
)
@option(
    "--host", default="127.0.0.1", help="Address to listen on; others than loopback let other machines in."
)
@option("--port", default=8765, type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@option("--dialect", default="documented", type=_Dialect(tuple(DIALECTS)), help="COMPLETE or COMPLETED.")
@option("--job", default=DEFAULT_JOB, metavar="TIMELINE", help="The course of every job.")
@option(
    "--connector",
    "connectors",
    multiple=True,
    envvar="OCBULK_CONNECTOR",
    metavar="NAME|FILE.toml",
    default=BUILT_IN,
    help="A connector to serve; repeatable.",
)
@option(
    "--element-token",
    "element_tokens",
    multiple=True,
    envvar="OCBULK_ELEMENT_TOKEN",
    show_default="the connector's name",
    help="Element token, one per connector in the same order.",
)
@option("--user-secret", default=DEFAULT_SECRET, help="User secret of all instances.")
@option("--organization-secret", default=DEFAULT_SECRET, help="Organization secret of all instances.")
@option("--signature-key", help="Sign callbacks with this event.notification.signature.key.")
@option(
    "--quirk",
    "quirks",
    multiple=True,
    envvar="OCBULK_QUIRK",
    metavar="NAME=VALUE",
    callback=_quirks,
    help="Set a quirk; repeatable.",
)
@option(
    "--max-upload",
    default=MAX_UPLOAD,
    type=click.IntRange(min=0),
    metavar="BYTES",
    help="A body larger than this (an upload with its form, or JSON) is answered 413.",
)
@option(
    "--data",
    default="",
    callback=_named,
    metavar="FILE",
    show_default="nothing is kept",
    help="Keep everything in this file and go on from it at the next start.",
)
@option(
    "--control-token",
    help="Needed for /__ocbulk__/ from then on; made up and told where other machines reach the server.",
)
@option(
    "--callback-host",
    "callback_hosts",
    multiple=True,
    envvar="OCBULK_CALLBACK_HOST",
    metavar="NAME",
    show_default="this machine only",
    help="A host that callbacks may go to, * for any; repeatable.",
)
@option(
    "--log-format",
    type=click.Choice(FORMATS),
    show_default="no log",
    help="Write one line for each exchange to stderr.",
)
@option("--quiet", is_flag=True, help="Say only where it listens.")
@click.version_option(package_name="pytest-ocbulk")
@click.pass_context
def main(
    context: click.Context,
    /,
    host: str,
    port: int,
    control_token: str | None,
    callback_hosts: tuple[str, ...],
    log_format: LogFormat | None,
    quiet: bool,
    **options: object,
) -> None:
    """A fake SAP Open Connectors (Cloud Elements) bulk API.

    Every option can come from the environment: --signature-key from OCBULK_SIGNATURE_KEY, what is repeatable with
    blanks between. Ctrl-C ends it.
    """
    if context.invoked_subcommand is not None:
        return
    try:
        if control_token is not None:
            check_secret("--control-token", control_token)
        emulator = build(Settings(**options))  # type: ignore[arg-type]  # click has checked them
        try:
            code = serve(
                emulator,
                host,
                port,
                quiet=quiet,
                token=control_token,
                callback_hosts=callback_hosts,
                log_format=log_format,
            )
        finally:
            emulator.close()
    except OcBulkError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise _unwritable(error) from None
    context.exit(code)


def _unwritable(error: OSError) -> click.ClickException:
    """The refusal when nobody could be told where the server listens."""
    from pytest_ocbulk.process_streams import give_up_if_unwritable

    give_up_if_unwritable()
    return click.ClickException(
        f"{error.filename or 'standard output'}: {error.strerror}; the server has ended"
    )
