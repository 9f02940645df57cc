"""What the server says when it accepts: where it is, whom it knows, and a line to try."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_ocbulk.addresses import is_loopback
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.messages import BASE_PATH

from .settings import DEFAULT_SECRET


def announcement(
    url: str, host: str, instances: Iterable[Instance], made_up: str | None, *, quiet: bool
) -> str:
    """All that is said on stdout, with the line first that programs wait for.

    `made_up` is a control token that nobody could know otherwise; `quiet` leaves the guide out.
    """
    lines = [f"listening on {url}{BASE_PATH}"]
    lines += [f"control token {made_up}"] if made_up else []
    lines += [] if quiet else [guide(url, instances, host)]
    return "\n".join(lines)


def guide(url: str, instances: Iterable[Instance], host: str = "127.0.0.1") -> str:
    """The connectors with their credentials, a curl line to paste, and who else can reach the address `host`."""
    instances = list(instances)
    rows = [("connector", "hub", "element token", "user secret")]
    rows += [(each.connector.key, each.connector.hub, each.token, each.user_secret) for each in instances]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    _, hub, token, secret = rows[1]
    curl = f"curl -H 'Authorization: Element {token}, User {secret}' '{url}{BASE_PATH}/hubs/{hub}/objects'"
    return "\n".join([*_open_to(host, instances), "", *table, "", "Try it:", f"  {curl}", ""])


def _open_to(host: str, instances: Iterable[Instance]) -> Iterator[str]:
    """Who can reach the server beyond this machine; nothing where nobody can."""
    if is_loopback(host):
        return
    where = "all addresses of this machine" if host in ("", "0.0.0.0", "::") else host
    public = any(each.user_secret == DEFAULT_SECRET for each in instances)
    secrets = (
        f"; the secret {DEFAULT_SECRET!r} is public: choose another with --user-secret" if public else ""
    )
    yield f"open on {where}, so that other machines reach it{secrets}"
