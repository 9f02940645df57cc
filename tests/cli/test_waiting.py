"""Waiting for a job from the command line: what its options may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..served import Served
from .conftest import Run


@pytest.mark.parametrize("text", ["0", "0s", "0.0", "0ms"])
@pytest.mark.parametrize("command", ["wait", "upload"])
def test_waiting_without_a_pause_is_refused(run: Run, people: str, command: str, text: str) -> None:
    arguments = ["wait", "1"] if command == "wait" else ["upload", people, "--object", "contact", "--wait"]
    ended = run(*arguments, "--interval", text)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.endswith(
        f"Error: Invalid value for '--interval': expected a time above 0, got '{text}': the service would be asked"
        " without a pause; leave it out for 1s\n"
    )


def test_a_word_that_nobody_documents_is_a_warning_for_a_person(run: Run, people: str, fake: Served) -> None:
    fake.next_job("CREATED 'THINKING' 2s COMPLETE")
    ended = run("upload", people, "--object", "contact", "--wait")
    assert ended.code == 0
    warned = [
        line for line in ended.err.splitlines() if "THINKING" in line and not line.endswith(": THINKING")
    ]
    (job,) = fake.instance.jobs
    assert warned == [f"Warning: job {job} has the unknown status 'THINKING'; taken for still running"]


def test_one_row_is_spoken_of_as_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text("C_EmailAddress\na@acme.com\n")
    (tmp_path / "bad.csv").write_text("C_EmailAddress\nnobody\n")
    ended = run("upload", "good.csv", "--object", "contact", "--wait")
    assert ended.out.endswith(" ended COMPLETE: the 1 row is in.\n")
    ended = run("upload", "bad.csv", "--object", "contact", "--wait", "--errors-to", "failed.csv")
    assert ended.err.endswith("\n1 failed row is in failed.csv.\n")
