"""What docs/contacts.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from pytest_ocbulk import OcBulk
from pytest_ocbulk.cli import ocbulk as command_line

from . import docs_contacts

PAGE = docs_contacts.PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TESTS = [block for block in BLOCKS if block.startswith("def test_")]


@pytest.mark.parametrize("block", TESTS, ids=lambda block: block.split("(")[0].removeprefix("def "))
def test_every_test_on_the_page_passes(block: str, ocbulk: OcBulk) -> None:
    def push(path: Path) -> None:
        """The code under test: plain requests."""
        files = {"file": (path.name, path.read_bytes())}
        job = requests.post(f"{ocbulk.base_url}/bulk/contact", headers=ocbulk.headers, files=files).json()
        for what in ("status", "errors"):
            requests.get(
                f"{ocbulk.base_url}/bulk/{job['id']}/{what}", headers=ocbulk.headers
            ).raise_for_status()

    names: dict[str, object] = {"push": push}
    exec(block, names)
    run = next(value for name, value in names.items() if name.startswith("test_"))
    run(ocbulk)  # type: ignore[operator]  # the function that the block defined


def test_the_other_lines_write_the_files_that_they_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = [block for block in BLOCKS if block not in TESTS]
    exec(block, {})
    assert (tmp_path / "contacts.csv").read_bytes().count(b"\n") == 5_001
    (line,) = re.findall(r"```sh\nocbulk (.*)\n```", PAGE)
    done = CliRunner().invoke(command_line, line.replace("1000000", "1000").split())
    assert done.exit_code == 0, done.output
    assert (tmp_path / "contacts.csv").read_bytes().count(b"\n") == 1_001


def test_the_tables_are_in_step_with_the_code() -> None:
    assert docs_contacts.renewed(PAGE) == PAGE, "run: python -m tests.docs_contacts"


def test_a_table_that_is_out_of_step_is_noticed() -> None:
    assert docs_contacts.renewed(PAGE.replace("`nul`", "`null`")) != PAGE.replace("`nul`", "`null`")
