"""A whole verification: settings, both targets, the chosen cases, the accepted differences."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from pytest_ocbulk.emulator.errors import OcBulkError, nearest

from . import accepted as acceptances
from . import settings as contract_settings
from .access import check_access
from .accounts import account
from .case import Case
from .fakes import fake
from .parity import Parity, compare
from .running import all_cases, observe


def verify(
    url: str,
    *,
    settings: Path | None = None,
    readonly: bool = False,
    dialect: str = "documented",
    names: Sequence[str] = (),
    name: str = "",
    accept: Path | None = None,
    on_case: Callable[[str], None] = lambda _: None,
    environment: Mapping[str, str] = os.environ,
    today: date | None = None,
) -> Parity:
    """Compare the service at a base URL with the fake; raises `OcBulkError` for what cannot be used or reached.

    `names` are the cases to run, all if there are none; `name` is what the service is called in the table.
    """
    cases = chosen(names)
    found = contract_settings.read(settings) if settings else contract_settings.find(Path.cwd())
    known = acceptances.read(accept, [case.name for case in all_cases()]) if accept else []
    with (
        account(url, found, readonly=readonly, environment=environment) as target,
        fake("socket", dialect, found.connector) as expected,
    ):
        check_access(target)
        seen = []
        for case in cases:
            on_case(case.name)
            seen.append(observe(case, target))
        return compare(
            [observe(case, expected) for case in cases],
            seen,
            target=name or target.name,
            fake=expected.name,
            accepted=known,
            today=today or datetime.now(UTC).date(),
        )


def chosen(names: Sequence[str]) -> list[Case]:
    """The cases of these names, all if there are none; raises `OcBulkError` with the nearest name."""
    cases = all_cases()
    by_name = {case.name: case for case in cases}
    for name in names:
        if name not in by_name:
            raise OcBulkError(f"there is no case {name!r}{nearest(name, by_name)}")
    return [by_name[name] for name in names] if names else cases
