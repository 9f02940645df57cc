"""Options of `ocbulk upload` that would do nothing, or something else on each connector, are refused."""

from __future__ import annotations

import pytest

from ..served import Served
from .conftest import Run


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--timeout", "5s"], "--timeout says"),
        (["--interval", "1s"], "--interval says"),
        (["--errors-to", "failed.csv"], "--errors-to says"),
        (["--errors-to", "failed.csv", "--timeout", "5s"], "--timeout and --errors-to say"),
    ],
)
def test_options_about_waiting_need_the_wait(
    run: Run, people: str, fake: Served, options: list[str], said: str
) -> None:
    ended = run("upload", people, "--object", "contact", *options)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith(
        f"Error: {said} how the job is waited for: give --wait too, or wait later with `ocbulk wait`\n"
    )
    assert not fake.instance.jobs
    assert run("upload", people, "--object", "contact", "--wait", *options).code == 0


def test_a_key_needs_an_action(run: Run, people: str, fake: Served) -> None:
    ended = run("upload", people, "--object", "contact", "--key", "C_EmailAddress")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith(
        "Error: --key names the field by which a record is found, but not what is done with it, and connectors differ:"
        " give --action upsert, update or create too\n"
    )
    assert not fake.instance.jobs


@pytest.mark.parametrize("action", [["--action", "upsert"], ["--metadata", '{"action": "upsert"}']])
def test_an_action_may_come_either_way(run: Run, people: str, action: list[str]) -> None:
    assert run("upload", people, "--object", "contact", "--key", "C_EmailAddress", *action).code == 0
