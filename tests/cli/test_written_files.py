"""Files that `ocbulk` writes: the old one stays until all of the new one is there, and a dash is standard output."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ..served import Served
from .conftest import Run

QUERY = "select * from contact"


def test_a_refused_call_leaves_the_old_file_of_failed_rows(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "failed.csv"
    kept.write_text("row,message\n1,of an earlier job\n")
    ended = run("errors", "999", "-o", "failed.csv")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: GET /bulk/999/errors was answered 404: ")
    assert kept.read_text() == "row,message\n1,of an earlier job\n"
    assert [each.name for each in tmp_path.iterdir()] == ["failed.csv"]


def test_contacts_that_cannot_be_made_leave_the_old_file(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "contacts.csv"
    kept.write_text("old")
    assert run("contacts", "3", "-o", "contacts.csv", "--object", "nothing").code == 1
    assert kept.read_text() == "old"
    assert run("contacts", "3", "-o", "contacts.csv").code == 0
    assert kept.read_text().startswith("C_EmailAddress,")


@pytest.fixture
def failed_job(run: Run, spoilt: str) -> str:
    """A job whose first twelve rows failed."""
    return next(word for word in run("upload", spoilt, "--object", "contact").out.split() if word.isdigit())


Arguments = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("arguments", "first", "count"),
    [
        (lambda job: ["contacts", "2"], "C_EmailAddress,", 3),
        (lambda job: ["query", QUERY], "id,", 9),
        (lambda job: ["errors", job], "row,message", 13),
    ],
    ids=["contacts", "query", "errors"],
)
def test_a_dash_is_standard_output(
    arguments: Arguments, first: str, count: int, run: Run, failed_job: str, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    ended = run(*arguments(failed_job), "-o", "-")
    assert ended.code == 0, ended.err
    assert ended.out.startswith(first)
    assert len(ended.out.splitlines()) == count
    assert sorted(tmp_path.iterdir()) == before


def test_a_download_goes_to_standard_output_too(run: Run, fake: Served, tmp_path: Path) -> None:
    with fake.client() as client:
        job = client.query(QUERY)
    ended = run("download", job.id, "contact", "-o", "-", "--format", "json")
    assert (ended.code, ended.out) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_failed_rows_of_a_job_that_is_waited_for_go_to_standard_output(run: Run, failed_job: str) -> None:
    ended = run("wait", failed_job, "--errors-to", "-")
    assert ended.code == 2
    verdict, rest = ended.out.split("\n", 1)
    assert verdict == f"Job {failed_job} ended COMPLETE: 12 of 20 rows failed."
    assert rest.partition("row,message\n")[2].count("\n") == 12


def test_a_device_is_written_to_and_stays_one(run: Run, failed_job: str, tmp_path: Path) -> None:
    link = tmp_path / "nowhere"
    link.symlink_to(os.devnull)
    for arguments in (["errors", failed_job], ["contacts", "2"], ["query", QUERY]):
        assert run(*arguments, "-o", "nowhere").code == 0
    assert link.is_symlink()
    assert link.is_char_device()


def test_the_verdict_is_told_whatever_becomes_of_the_file(
    run: Run, failed_job: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(path: Path, mode: int = 0o666) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("pytest_ocbulk.emulator.whole_file.replacing", no_room)
    ended = run("wait", failed_job, "--errors-to", "failed.csv")
    assert ended.code == 1
    assert ended.out.startswith(f"Job {failed_job} ended COMPLETE: 12 of 20 rows failed.\n")
    assert ended.err.endswith("Error: failed.csv: No space left on device\n")


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_sent(
    run: Run, people: str, fake: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "locked" and may(path, mode))
    (tmp_path / "locked").mkdir()
    ended = run("upload", people, "--object", "contact", "--wait", "--errors-to", "locked/failed.csv")
    assert ended.code == 1
    assert ended.err.endswith(
        "Error: Invalid value for '--errors-to': directory 'locked' is not writable; name another file\n"
    )
    with fake.client() as client:
        assert list(client.jobs()) == []


def test_a_note_is_added_to_a_file_only(run: Run) -> None:
    ended = run("verify", "--note", "-")
    assert ended.err.endswith(
        "Error: Invalid value for '--note': a dash is standard output, which keeps nothing; name a file\n"
    )
