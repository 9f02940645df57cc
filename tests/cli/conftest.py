"""`ocbulk` run in the test's process, in a directory of its own, against a fake behind a socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_ocbulk.cli import ocbulk

from ..served import Served

CSV = "C_EmailAddress,C_FirstName\nann@acme.com,Ann\nbob@acme.com,Bob\n"


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(fake: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `ocbulk` in a directory of its own, with the fake in the environment."""
    monkeypatch.chdir(tmp_path)

    def run(*args: str, env: dict[str, str] | None = None, typed: str | None = None) -> Ended:
        result = CliRunner().invoke(ocbulk, args, input=typed, env=env or fake.environment)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def people(run: Run, tmp_path: Path) -> str:
    """The name of a file of two people."""
    (tmp_path / "people.csv").write_text(CSV)
    return "people.csv"


@pytest.fixture
def spoilt(run: Run, tmp_path: Path) -> str:
    """The name of a file of twenty rows, the first twelve of which nobody takes."""
    rows = [f"person {number}" for number in range(12)] + [f"p{number}@acme.com" for number in range(8)]
    (tmp_path / "spoilt.csv").write_text("\n".join(["C_EmailAddress", *rows, ""]))
    return "spoilt.csv"
