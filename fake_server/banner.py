"""What the server says when it accepts: where it is, whom it knows, and a line to try."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.routes import BASE_PATH


def listening(url: str) -> str:
    """The first line on stdout, which programs wait for."""
    return f"listening on {url}{BASE_PATH}"


def control_token(token: str) -> str:
    """What is said when the server made up a control token itself: nobody could know it otherwise."""
    return f"control token {token}"


def guide(url: str, instances: Iterable[Instance]) -> str:
    """The connectors with their credentials, and a curl line to paste."""
    rows = [("connector", "hub", "element token", "user secret")]
    rows += [(each.connector.key, each.connector.hub, each.token, each.user_secret) for each in instances]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    _, hub, token, secret = rows[1]
    curl = f"curl -H 'Authorization: Element {token}, User {secret}' '{url}{BASE_PATH}/hubs/{hub}/objects'"
    return "\n".join(["", *table, "", "Try it:", f"  {curl}", ""])
