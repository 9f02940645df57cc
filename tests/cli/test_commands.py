"""`ocbulk` against the fake behind a socket: what it prints, where, and what it ends with."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pytest_ocbulk.cli import ocbulk
from pytest_ocbulk.cli.group import CommandDirectory, Exit
from pytest_ocbulk.cli.progress import size

from .. import docs_cli
from ..client.raw_service import CLOSE, RawService, answer, raw_service
from ..patience import PATIENCE
from ..served import Served
from .conftest import CSV, Ended, Run


def without_seconds(told: str) -> str:
    """What was told with N in place of the seconds that it took, which are the machine's."""
    return re.sub(r" in \d+\.\d s$", " in N s", told, flags=re.MULTILINE)


# --- uploading ------------------------------------------------------------------------------------------------------


def test_an_upload_ends_with_0_and_the_job_it_became(run: Run, people: str) -> None:
    ended = run("upload", people, "--object", "contact")
    job = next(word for word in ended.out.split() if word.isdigit())
    assert (ended.code, ended.out) == (0, f"Job {job} is CREATED.\n")
    assert without_seconds(ended.err) == (
        f"Uploading people.csv ...\nUploading people.csv: 61 B in N s\n`ocbulk wait {job}` says how it ends.\n"
    )


def test_an_upload_that_is_waited_for_ends_with_0_when_all_rows_are_in(
    run: Run, people: str, fake: Served
) -> None:
    fake.next_job("CREATED 2s RUNNING 3s COMPLETE")
    ended = run("upload", people, "--object", "contact", "--wait")
    assert ended.code == 0
    assert ended.out.endswith(" ended COMPLETE: all 2 rows are in.\n")
    assert [line.partition(": ")[2] for line in ended.err.splitlines()[2:]] == [
        "CREATED",
        "RUNNING",
        "COMPLETE, 2 rows",
    ]


def test_failed_rows_end_with_2_and_the_first_ten_are_shown(run: Run, spoilt: str) -> None:
    ended = run("upload", spoilt, "--object", "contact", "--wait")
    assert ended.code == 2
    verdict, header, *rows = ended.out.splitlines()
    assert verdict.endswith(" ended COMPLETE: 12 of 20 rows failed.")
    assert header == "row  message"
    assert [line.split()[0] for line in rows] == [str(number) for number in range(1, 11)]
    assert rows[0] == "1    person 0: Invalid email address in C_EmailAddress"
    assert ended.err.endswith("... and 2 more; --errors-to FILE keeps them all.\n")


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("failed.csv", "row,message", "12,person 11: Invalid email address in C_EmailAddress"),
        (
            "failed.jsonl",
            '{"row": 1, "message": "person 0: Invalid email address in C_EmailAddress"}',
            '{"row": 12, "message": "person 11: Invalid email address in C_EmailAddress"}',
        ),
    ],
)
def test_all_failed_rows_are_kept_where_told(
    run: Run, spoilt: str, tmp_path: Path, name: str, first: str, last: str
) -> None:
    ended = run("upload", spoilt, "--object", "contact", "--wait", "--errors-to", name)
    lines = (tmp_path / name).read_text().splitlines()
    assert (lines[0], lines[-1]) == (first, last)
    assert ended.err.endswith(f"12 failed rows are in {name}.\n")


def test_a_failed_job_ends_with_3_and_its_error(run: Run, people: str, fake: Served) -> None:
    fake.next_job("CREATED ABORTED", error="All prospects require either 'email' or 'id'")
    ended = run("upload", people, "--object", "contact", "--wait")
    assert ended.code == 3
    assert ended.out.endswith(" ended ABORTED: All prospects require either 'email' or 'id'\n")


def test_a_job_that_does_not_end_in_time_ends_with_3(run: Run, people: str, fake: Served) -> None:
    fake.next_job("CREATED RUNNING forever")
    ended = run("upload", people, "--object", "contact", "--wait", "--timeout", "10m")
    assert ended.code == Exit.JOB_FAILED
    assert fake.clock.elapsed == 600
    *_, error, hint = ended.err.splitlines()
    assert error.startswith("Error: job ")
    assert error.endswith(" is still RUNNING after 600 s")
    assert hint == "The job goes on; `ocbulk wait` takes up the waiting again."


def test_the_options_of_an_upload_go_into_its_metadata(run: Run, people: str, fake: Served) -> None:
    told = [
        "--record-size",
        "20",
        "--action",
        "upsert",
        "--key",
        "C_EmailAddress",
        "--metadata",
        '{"listId": 7}',
    ]
    ended = run("upload", people, "--object", "contact", "--wait", "--json", *told)
    report = json.loads(ended.out)
    metadata = json.loads(report["metadata"])
    assert re.fullmatch(r"ocbulk [0-9a-f]{16}", metadata.pop("callback-payload"))
    assert metadata == {
        "listId": 7,
        "bulkUploadRecordSize": 20,
        "action": "upsert",
        "identifierFieldName": "C_EmailAddress",
    }


def test_a_file_of_json_is_announced_as_json(run: Run, tmp_path: Path) -> None:
    (tmp_path / "people.json").write_text('{"C_EmailAddress": "ann@acme.com"}\n')
    ended = run("upload", "people.json", "--object", "contact", "--wait", "--json")
    report = json.loads(ended.out)
    assert (report["file_format"], report["records_count"], report["errors"]) == ("json", 1, [])


def test_a_dash_uploads_standard_input(run: Run) -> None:
    ended = run("upload", "-", "--object", "contact", "--wait", typed=CSV)
    assert ended.out.endswith("all 2 rows are in.\n")
    assert "Uploading standard input: 61 B in" in ended.err


def test_a_machine_reads_one_json_object(run: Run, spoilt: str) -> None:
    ended = run("upload", spoilt, "--object", "contact", "--wait", "--json")
    report = json.loads(ended.out)
    assert (report["status"], report["records_count"], report["records_failed_count"]) == ("COMPLETE", 20, 12)
    assert report["created"] == "2024-01-01T00:00:00+00:00"
    assert report["errors"][9] == {"row": 10, "message": "person 9: Invalid email address in C_EmailAddress"}
    assert len(report["errors"]) == 10


STUB = answer(body='{"id": "7", "status": "CREATED"}')
JOBS = '[{"id": "7", "status": "CREATED", "object_name": "contact", "job_direction": "UPLOAD"}]'
STATUS = (
    '{"id": "7", "status": "CREATED", "object_name": "contact", "job_direction": "UPLOAD", "fileSize": 61,'
    ' "bulk_start_time": 1445417310000}'
)
DATE = "Wed, 21 Oct 2015 08:48:00 GMT"


def upload_to(service: RawService, run: Run, people: str) -> Ended:
    """Upload to a service that is told what to answer."""
    secrets = ("--element-token", "a", "--user-secret", "b")
    env = {"OPEN_CONNECTORS_BASE_URL": service.base_url}
    return run("upload", people, "--object", "contact", *secrets, env=env)


def test_an_upload_whose_answer_got_lost_is_found_and_not_sent_again(run: Run, people: str) -> None:
    with raw_service(CLOSE, answer(body=JOBS, Date=DATE), answer(body=STATUS)) as service:
        ended = upload_to(service, run, people)
        assert [each.head.split()[0] for each in service.received] == ["POST", "GET", "GET"]
    assert (ended.code, ended.out) == (0, "Job 7 is CREATED.\n")
    assert (
        "The answer got lost: POST /bulk/contact: Remote end closed connection without response;" in ended.err
    )
    assert "Job 7 came of it.\n" in ended.err


def test_an_upload_that_two_jobs_can_be_ends_with_3_and_says_what_tells_them_apart(
    run: Run, people: str
) -> None:
    two = f"[{JOBS[1:-1]}, {JOBS[1:-1].replace('7', '8')}]"
    statuses = [answer(body=STATUS), answer(body=STATUS.replace('"7"', '"8"'))]
    with raw_service(CLOSE, answer(body=two), *statuses) as service:
        ended = upload_to(service, run, people)
    assert (ended.code, ended.out) == (Exit.JOB_FAILED, "")
    assert ended.err.endswith(
        "The answer got lost: POST /bulk/contact: Remote end closed connection without response; the service may have"
        " carried it out.\n"
        "Error: Any of the jobs 7, 8 can be the upload: the service does not tell; look with `ocbulk status` before you"
        " send it again.\n"
    )


def test_an_upload_that_made_no_job_may_be_sent_again(run: Run, people: str) -> None:
    with raw_service(CLOSE, answer(body="[]")) as service:
        ended = upload_to(service, run, people)
    assert ended.code == 1
    assert ended.err.endswith("Error: No job came of the upload. It can be sent again.\n")


# --- looking --------------------------------------------------------------------------------------------------------


def uploaded(run: Run, people: str) -> str:
    """The id of a finished job."""
    return str(json.loads(run("upload", people, "--object", "contact", "--wait", "--json").out)["id"])


def test_objects_are_listed_one_a_line(run: Run) -> None:
    assert run("objects").out == "activities\ncontact\ncampaign\nlist\naccount\n"
    assert run("objects", "--json").out.splitlines()[0] == '"activities"'


def test_metadata_is_a_table_or_json(run: Run) -> None:
    table = run("metadata", "contact").out.splitlines()
    assert table[0].split() == ["name", "type", "required", "read", "only"]
    assert ["C_EmailAddress", "string", "yes", "no"] in [line.split() for line in table]
    first = json.loads(run("metadata", "contact", "--json").out.splitlines()[1])
    assert first == {"name": "C_EmailAddress", "type": "string", "required": True, "read_only": False}


def test_status_shows_what_is_known_and_ends_with_0_whatever_it_is(
    run: Run, people: str, fake: Served
) -> None:
    fake.next_job("CREATED ABORTED", error="no")
    job = uploaded(run, people)
    ended = run("status", job)
    assert ended.code == 0
    facts = [line.split(maxsplit=1) for line in ended.out.splitlines()]
    assert ["id", job] in facts
    assert ["status", "ABORTED"] in facts
    assert ["error", "no"] in facts


def test_wait_judges_a_job_that_was_uploaded_before(run: Run, spoilt: str) -> None:
    job = uploaded(run, spoilt)
    assert run("wait", job).code == Exit.ROWS_FAILED


def test_errors_are_listed_or_written(run: Run, spoilt: str, tmp_path: Path) -> None:
    job = uploaded(run, spoilt)
    assert len(run("errors", job).out.splitlines()) == 13
    assert len(run("errors", job, "--limit", "3", "--json").out.splitlines()) == 3
    assert run("errors", job, "-o", "failed.csv").err == "12 failed rows are in failed.csv.\n"
    assert len((tmp_path / "failed.csv").read_text().splitlines()) == 13


def test_no_errors_are_said_to_be_none(run: Run, people: str) -> None:
    assert run("errors", uploaded(run, people)) == Ended(0, "", "No row failed.\n")


def test_records_are_a_table_or_json(run: Run, people: str) -> None:
    uploaded(run, people)
    ended = run("records", "contact", "--where", "C_FirstName='Bob'")
    assert ended.out == "id  C_EmailAddress  C_FirstName\n2   bob@acme.com    Bob\n"
    assert json.loads(run("records", "contact", "--limit", "1", "--json").out)["C_FirstName"] == "Ann"
    assert run("records", "contact", "--where", "C_FirstName='Eve'").err == "No records.\n"


def test_control_characters_in_a_record_do_not_reach_the_terminal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("C_EmailAddress,C_FirstName\nann@acme.com,\x1b[2Jgone\n")
    uploaded(run, "bad.csv")
    assert "\\x1b[2Jgone" in run("records", "contact").out


def test_jobs_are_listed(run: Run, people: str) -> None:
    job = uploaded(run, people)
    header, line = run("jobs").out.splitlines()
    titles = "id status direction object name records count records failed count created"
    assert " ".join(header.split()) == titles
    assert line.split() == [job, "COMPLETE", "UPLOAD", "contact", "2", "0", "2024-01-01", "00:00:00", "UTC"]
    assert run("jobs", "--where", "job_direction='DOWNLOAD'") == Ended(0, "", "No jobs.\n")


def test_a_job_is_cancelled(run: Run, people: str, fake: Served) -> None:
    fake.next_job("CREATED RUNNING forever")
    run("upload", people, "--object", "contact")
    (job,) = fake.instance.jobs
    assert run("cancel", job).out.startswith(f"Job {job} is CANCEL")


# --- fetching -------------------------------------------------------------------------------------------------------


def test_a_query_prints_its_rows_and_nothing_else_on_standard_output(run: Run, people: str) -> None:
    uploaded(run, people)
    ended = run("query", "select C_EmailAddress from contact where C_FirstName='Bob'")
    assert ended.out == "C_EmailAddress\nbob@acme.com\n"
    assert "COMPLETE, 1 rows" in ended.err


def test_a_query_goes_to_a_file(run: Run, people: str, tmp_path: Path) -> None:
    uploaded(run, people)
    ended = run("query", "select C_EmailAddress from contact limit 1", "-o", "out.json", "--format", "json")
    assert ended.out == ""
    assert without_seconds(ended.err).endswith("Downloading out.json: 35 B in N s\n")
    assert json.loads((tmp_path / "out.json").read_text()) == {"C_EmailAddress": "ann@acme.com"}


def test_a_query_whose_job_fails_ends_with_3(run: Run, fake: Served) -> None:
    fake.next_job("CREATED ERROR", error="provider down")
    ended = run("query", "select * from contact")
    assert (ended.code, ended.out) == (Exit.JOB_FAILED, "")
    assert ended.err.endswith(" ended ERROR: provider down\n")


def test_a_finished_job_is_downloaded(run: Run, people: str, fake: Served) -> None:
    uploaded(run, people)
    run("query", "select C_EmailAddress from contact")
    *_, job = fake.instance.jobs
    assert run("download", job, "contact").out == "C_EmailAddress\nann@acme.com\nbob@acme.com\n"


# --- contacts -------------------------------------------------------------------------------------------------------


def test_contacts_are_written_with_what_was_asked_for(run: Run, tmp_path: Path) -> None:
    told = ["--locale", "de_DE", "--seed", "7", "--delimiter", "semicolon", "--newline", "crlf", "--bom"]
    ended = run("contacts", "20", "-o", "c.csv", *told)
    content = (tmp_path / "c.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfC_EmailAddress;C_FirstName")
    assert content.count(b"\r\n") == 21
    assert ended.err.splitlines()[-1].startswith("Writing c.csv: 20 rows in ")
    again = run("contacts", "20", *told)
    assert again.out.encode() == content.replace(b"\r\n", b"\n")


def test_contacts_that_cannot_be_made_are_refused(run: Run) -> None:
    ended = run("contacts", "2", "--connector", "slqserver")
    assert ended.code == Exit.REFUSED
    assert ended.err.startswith("Error: ")


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("uplaod", "Error: No such command 'uplaod'; did you mean 'upload'?\n"),
        ("upload people.csv", "Error: Missing option '--object'.\n"),
        ("upload x.csv --object contact", "Error: Invalid value for 'FILE': File 'x.csv' does not exist.\n"),
        (
            "wait 1 --timeout soon",
            "'soon' is not a duration; write it like '250ms', '2s', '10m' or '1h30m'\n",
        ),
        (
            "upload people.csv --object contact --metadata [1]",
            """expected an object like {"action": "upsert"}, got [1]\n""",
        ),
        ("upload people.csv --object contact --metadata {", "char 1)\n"),
        (
            "upload people.csv --object contact --wait --errors-to gone/failed.csv",
            "Invalid value for '--errors-to': there is no directory 'gone'; make it, or name another file\n",
        ),
        (
            "verify --junit gone/parity.xml",
            "Invalid value for '--junit': there is no directory 'gone'; make it, or name another file\n",
        ),
        (
            "contacts 3 -o gone/contacts.csv",
            "Invalid value for '-o' / '--output': there is no directory 'gone'; make it, or name another file\n",
        ),
        ("objects --user-secret wrong", "Error: GET /objects was answered 401: Invalid Organization or User"),
        ("wait 99", "Error: GET /bulk/99/status was answered 404: "),
    ],
)
def test_a_mistake_ends_with_1_and_says_what_is_wrong(run: Run, people: str, command: str, told: str) -> None:
    ended = run(*command.split())
    assert (ended.code, ended.out) == (Exit.REFUSED, "")
    assert told in ended.err


def test_missing_settings_are_named_with_both_ways_to_give_them(run: Run) -> None:
    ended = run("objects", env={"OPEN_CONNECTORS_USER_SECRET": "x"})
    assert ended.code == Exit.REFUSED
    assert ended.err.endswith(
        "Error: Which connector instance? Missing: --base-url or OPEN_CONNECTORS_BASE_URL;"
        " --element-token or OPEN_CONNECTORS_ELEMENT_TOKEN.\n"
    )


def test_an_interruption_ends_with_130(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("pytest_ocbulk.client.BulkClient.objects", interrupted)
    assert run("objects") == Ended(Exit.INTERRUPTED, "", "\nInterrupted.\n")


def test_an_upload_in_doubt_that_cannot_be_looked_for_ends_with_3(run: Run, people: str) -> None:
    with raw_service(CLOSE, answer("403 Forbidden", '{"message": "No."}')) as service:
        ended = upload_to(service, run, people)
    assert (ended.code, ended.out) == (Exit.JOB_FAILED, "")
    assert ended.err.endswith(
        "Error: Nobody knows whether it arrived: GET /bulk/jobs was answered 403: No.; look for"
        " its job with `ocbulk jobs` before you send it again.\n"
    )


def test_who_reads_only_the_beginning_sees_no_traceback(fake: Served) -> None:
    command = f"{sys.executable} -c 'from pytest_ocbulk.cli import main; main()' contacts 20000 | head -1"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True, timeout=2 * PATIENCE)
    assert done.stdout.startswith(b"C_EmailAddress")
    assert done.stderr == b""


# --- itself ---------------------------------------------------------------------------------------------------------


def every_command() -> list[str]:
    assert isinstance(ocbulk, CommandDirectory)
    return ocbulk.list_commands(click.Context(ocbulk))


@pytest.mark.parametrize("name", every_command())
def test_every_command_has_help_with_examples(run: Run, name: str) -> None:
    ended = run(name, "--help")
    assert ended.code == 0
    assert f"\nExamples:\n  ocbulk {name}" in ended.out


def test_no_command_is_missing() -> None:
    named = "contacts objects metadata upload status wait errors records query download cancel jobs"
    assert set(named.split()) <= set(every_command())


def test_help_costs_no_import_of_what_it_does_not_need() -> None:
    code = (
        "import sys\n"
        "from pytest_ocbulk.cli import ocbulk\n"
        "try: ocbulk.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('requests', 'faker', 'pytest') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=2 * PATIENCE
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    """A real terminal: a pseudo one, which the child process cannot tell from a window."""
    code = "from pytest_ocbulk.cli import main; main()"
    seen, ours = pty.openpty()
    command = [sys.executable, "-c", code, "contacts", "30000", "-o", str(tmp_path / "c.csv")]
    child = subprocess.Popen(
        command, stdout=ours, stderr=ours, stdin=ours, env={**os.environ, "TERM": "xterm"}
    )
    os.close(ours)
    screen = b""
    while part := _read(seen):
        screen += part
    os.close(seen)
    assert child.wait(timeout=2 * PATIENCE) == 0
    assert b"Writing c.csv  [##############################]  100%  30,000 rows" in screen
    assert b"Writing c.csv: 30,000 rows in " in screen


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux ends a pseudo terminal with EIO
        return b""


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (130_400_000, "130.4 MB"), (6 * 10**9, "6.0 GB")],
)
def test_sizes_read_as_people_say_them(number: int, text: str) -> None:
    assert size(number) == text


def test_the_reference_in_the_docs_is_in_step() -> None:
    assert docs_cli.reference() in docs_cli.PAGE.read_text(), "run: python -m tests.docs_cli"


@pytest.mark.parametrize(("command", "code"), list(zip(docs_cli.COMMANDS, "023", strict=True)))
def test_every_recorded_command_is_in_the_docs_with_its_end(command: str, code: str) -> None:
    recorded = docs_cli.PAGE.read_text().partition(f"$ {command}\n")[2]
    assert recorded.partition("$ echo $?\n")[2].startswith(f"{code}\n```\n")


def test_a_recording_shows_four_states_of_a_bar_and_no_colours() -> None:
    shown = "\r\x1b[?25lbar 0\rbar 1\rbar 2\rbar 3\rbar 4\rbar 5\rbar 6\x1b[?25h\r\n\x1b[33mdone\x1b[0m\r\n"
    assert docs_cli.seen(shown) == "bar 0\nbar 2\nbar 4\nbar 6\ndone\n"


@pytest.mark.parametrize(
    ("words", "completed"), [("ocbulk upl", "upload"), ("ocbulk upload --obj", "--object")]
)
def test_the_shell_completes_commands_and_options(words: str, completed: str) -> None:
    code = "from pytest_ocbulk.cli import main; main()"
    asked = {"_OCBULK_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    environment = {**os.environ, **asked}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=2 * PATIENCE, check=False
    )
    assert done.stdout == f"plain,{completed}\n"
