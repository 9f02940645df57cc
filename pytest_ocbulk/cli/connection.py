"""The options that say which connector instance is meant, on every command that talks to one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pytest_ocbulk.process_streams import undecodable

if TYPE_CHECKING:
    from pytest_ocbulk.client import BulkClient

R = TypeVar("R")

_OPTIONS = {
    "base_url": ("URL", "Where the service is, up to and including /elements/api-v2."),
    "element_token": ("TOKEN", "The token of the connector instance."),
    "user_secret": ("SECRET", "The user secret."),
    "organization_secret": ("SECRET", "The organization secret; optional."),
    "hub": ("HUB", "A hub to put into every path; optional, the service ignores it."),
}
_OPTIONAL = ("organization_secret", "hub")


class Command(click.Command):
    """A command whose help ends with examples, printed as they are."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but text that is none is refused here, once, instead of wherever it is sent; paths may be."""
        rest = super().parse_args(ctx, args)
        for param in self.get_params(ctx):
            value = ctx.params.get(param.name or "")
            if not isinstance(value, Path) and (byte := undecodable(_text(value))):
                raise click.BadParameter(
                    f"expected UTF-8, got the byte {byte}; write it in UTF-8", ctx, param
                )
        return rest

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")


class ConnectedCommand(Command):
    """A command whose help shows the connection's options in a section of their own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write "Options" and then "Connection"."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        for title, connecting in (("Options", False), ("Connection", True)):
            chosen = [each for each in options if (each.name in _OPTIONS) is connecting]
            records = [record for each in chosen if (record := each.get_help_record(ctx))]
            with formatter.section(title):
                formatter.write_dl(records)


def _text(value: object) -> str:
    """All the text that a parameter holds: it may have been repeatable, or JSON."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return "".join(map(_text, parts)) if parts else str(value)


def connected(function: Callable[..., R]) -> Callable[..., R]:
    """Give a command the connection's options, and a `BulkClient` as its first argument, closed at the end."""

    @functools.wraps(function)
    def command(*args: Any, **kwargs: Any) -> R:
        settings = {name: kwargs.pop(name) for name in _OPTIONS}
        client = click.get_current_context().with_resource(_client(settings))
        return function(client, *args, **kwargs)

    decorated: Callable[..., R] = command
    for name, (metavar, text) in reversed(_OPTIONS.items()):
        option = f"--{name.replace('_', '-')}"
        variable = f"OPEN_CONNECTORS_{name.upper()}"
        decorated = click.option(option, metavar=metavar, envvar=variable, help=text, show_envvar=True)(
            decorated
        )
    return decorated


def _client(settings: dict[str, Any]) -> BulkClient:
    from pytest_ocbulk.client import BulkClient

    missing = [name for name in _OPTIONS if not settings[name] and name not in _OPTIONAL]
    if missing:
        ways = "; ".join(f"--{name.replace('_', '-')} or OPEN_CONNECTORS_{name.upper()}" for name in missing)
        raise click.UsageError(f"Which connector instance? Missing: {ways}.")
    return BulkClient(**settings)
