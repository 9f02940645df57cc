"""docs/contract.md and docs/parity.md are in step with the code."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from pytest_ocbulk.cli.group import ocbulk
from pytest_ocbulk.contract.parity import Verdict
from pytest_ocbulk.contract.running import all_cases

from .. import docs_contract


def test_the_page_of_the_contract_is_in_step() -> None:
    assert docs_contract.CONTRACT.read_text() == docs_contract.contract_page(), (
        "run: python -m tests.docs_contract"
    )


def test_the_page_of_parity_is_in_step() -> None:
    page = docs_contract.parity_page()
    assert docs_contract.PARITY.read_text() == page, "run: python -m tests.docs_contract"
    assert all(f"(`{case.name}`)" in page for case in all_cases())


def test_a_check_that_was_sent_in_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    checked = type(docs_contract.CHECKED)(str(tmp_path)) / "checked.jsonl"
    checked.write_text(
        '{"target": "an account", "checked": "2026-05-01", "cases": {"ping_answers_health": "same"}}\n'
        '{"target": "an account", "checked": "2026-06-01", "cases": {"ping_answers_health": "DIFFERS"}}\n'
    )
    monkeypatch.setattr(docs_contract, "CHECKED", checked)
    page = docs_contract.parity_page()
    assert "Checked against: an account." in page
    line = next(line for line in page.splitlines() if "(`ping_answers_health`)" in line)
    assert line.endswith("| 2026-06-01 an account: DIFFERS |")
    assert "| never |" in page


def test_every_verdict_and_option_of_the_page_exists() -> None:
    page = docs_contract.CONTRACT.read_text()
    assert re.findall(r"^\| `(\w+)` \| .* \| (?:yes|no) \|$", page, re.MULTILINE) == [
        verdict.value for verdict in Verdict
    ]
    for name, options in re.findall(r"^ *ocbulk (verify|record|replay)( .*)?$", page, re.MULTILINE):
        command = ocbulk.get_command(None, name)  # type: ignore[arg-type]  # the context is not used
        assert command is not None
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", options)) <= known


@pytest.mark.skipif(not shutil.which("bash"), reason="the lines are for a shell; bash is not installed")
def test_the_first_step_asks_for_each_secret_by_name_and_on_a_line_of_its_own() -> None:
    page = docs_contract.CONTRACT.read_text()
    step = next(block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "read -rs" in block)
    show = 'echo "$OPEN_CONNECTORS_ELEMENT_TOKEN+$OPEN_CONNECTORS_USER_SECRET"'
    done = subprocess.run(
        ["bash", "-c", step + show], input="e 1\nu\n", capture_output=True, text=True, check=True
    )
    assert done.stdout == "element token: \nuser secret: \ne 1+u\n"
