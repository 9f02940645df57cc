"""The sample project downstream runs, and docs/fixtures.md shows nothing that is not in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from textwrap import dedent

import pytest

from . import docs_fixtures
from .docs_fixtures import PAGE, PROJECT


def test_the_project_passes_as_a_project_of_its_own() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "OCBULK"))}
    plugins = ["-p", "ocbulk", "-p", "anyio", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "pytest.ini", *plugins],
        cwd=PROJECT,
        env={**env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    tests = sum(
        len(re.findall(r"^(?:async )?def test_", path.read_text(), re.MULTILINE))
        for path in PROJECT.glob("test_*.py")
    )
    doors = 3 - 1  # one of them runs through three doors
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{tests + doors} passed" in done.stdout


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(blocks())))
def test_every_block_of_the_page_is_a_part_of_the_project(number: int) -> None:
    project = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PROJECT.glob("*.py")))
    assert dedent(blocks()[number]).strip() in project


def test_the_page_has_blocks_to_check() -> None:
    assert len(blocks()) > 10


def test_the_lists_of_the_page_are_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == docs_fixtures.written(), "run: python -m tests.docs_fixtures"


def test_every_text_that_the_page_shows_is_in_a_test() -> None:
    folder = PAGE.parent.parent / "tests"
    tests = "".join((folder / name).read_text() for name in ("test_assertions.py", "test_plugin.py"))
    shown = re.findall(r"```text\n(contact: .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(shown) == 2
    assert all(line in tests for text in shown for line in text.splitlines())
