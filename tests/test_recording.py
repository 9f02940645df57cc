"""Recordings: what is written down tells nobody's secrets, and plays against the fake; a fake is the upstream."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from pytest_ocbulk.cli.group import Exit, ocbulk
from pytest_ocbulk.client import BulkClient
from pytest_ocbulk.emulator.clock import ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import dialect_named
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.faults.kinds import truncate
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.messages import BASE_PATH
from pytest_ocbulk.emulator.timeline import Timeline
from pytest_ocbulk.recording import Recording, recorded_jobs, replay
from pytest_ocbulk.recording.courses import Look, rounded, timeline_of
from pytest_ocbulk.recording.exchange import RecordedExchange, begin, write
from pytest_ocbulk.recording.recorder import Recorder
from pytest_ocbulk.recording.redaction import Redactor
from pytest_ocbulk.server import Server

from .patience import PATIENCE
from .ports import closed_port

CSV = b"""C_EmailAddress,C_FirstName,C_LastName,C_Title
ann.smith@acme.com,Ann,Smith,Director
bob(at)acme.com,Bob,O'Hara,"Head, Sales"
carol@acme.com,Carol,Smith,
"""
PRIVATE = ("acme.com", "Ann", "Smith", "Bob", "Hara", "Carol", "secret-")


@contextmanager
def upstream(clock: ManualClock, dialect: str = "live") -> Iterator[tuple[str, Instance]]:
    """A fake in the place of the real service."""
    emulator = Emulator()
    instance = emulator.create_instance(
        built_in("marketing"),
        token="secret-element+/=",
        user_secret="secret-user",
        organization_secret="secret-organization",
        clock=clock,
        dialect=dialect_named(dialect),
    )
    instance.plans.default = Timeline.parse("CREATED 2s RUNNING 5s COMPLETE")
    with Server(emulator) as server:
        yield server.url + BASE_PATH, instance
    emulator.close()


@contextmanager
def recorded(folder: Path, clock: ManualClock, dialect: str = "live") -> Iterator[BulkClient]:
    """A client whose calls go through the recorder to a fake; time is the fake's."""
    with upstream(clock, dialect) as (url, instance):
        recorder = Recorder(url, folder, clock=clock.now)
        with (
            Server(recorder) as server,
            BulkClient(
                server.url + BASE_PATH,
                element_token=instance.token,
                user_secret=instance.user_secret,
                organization_secret=instance.organization_secret,
                clock=clock.now,
                sleep=clock.advance,
            ) as client,
        ):
            yield client
        recorder.close()


def integration(client: BulkClient) -> None:
    """What an integration does in a day."""
    client.objects()
    job = client.upload("contact", CSV, {"bulkUploadRecordSize": 1}, file_name="Ann's contacts.csv")
    client.wait(job, interval=1.0, longest_interval=1.0)
    assert [error.row for error in client.errors(job)] == [2]
    assert len(list(client.records("contact", "C_LastName='Smith' and C_EmailAddress is not null"))) == 2
    query = client.query("select C_EmailAddress,C_FirstName from contact where C_FirstName='Ann'")
    client.wait(query, interval=1.0, longest_interval=1.0)
    assert len(list(client.download(query, "contact"))) == 1
    assert len(list(client.download(query, "contact", "json"))) == 1
    assert len(list(client.jobs("job_direction='UPLOAD'"))) == 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of `integration` at a fake in dialect live."""
    folder = tmp_path_factory.mktemp("recording") / "import"
    with recorded(folder, ManualClock()) as client:
        integration(client)
    return folder


# -- what is written down -----------------------------------------------------------------------------------


def test_nothing_private_is_written_down(folder: Path) -> None:
    written = "".join(path.read_text() for path in folder.iterdir())
    assert [word for word in PRIVATE if word in written] == []
    assert "Director" in written  # what is not private stays, so that a recording is of use


def test_equal_stays_equal(folder: Path) -> None:
    exchanges = Recording.read(folder).exchanges
    upload, records = exchanges[1], next(each for each in exchanges if each.call == "GET /contact")
    uploaded = upload.body.decode()
    assert "person1@redacted.example,Redacted1,Redacted2,Director" in uploaded
    assert "person2@redacted.example,Redacted5,Redacted2" in uploaded
    found = records.json()
    assert [record["C_EmailAddress"] for record in found] == [
        "person1@redacted.example",
        "person2@redacted.example",
    ]
    assert {record["C_LastName"] for record in found} == {"Redacted2"}
    assert "C_LastName%3D%27Redacted2%27" in records.target
    assert {each.headers["authorization"] for each in exchanges} == {
        "User redacted-user-1, Organization redacted-organization-1, Element redacted-element-1"
    }


def test_an_exchange_can_be_read_back(folder: Path) -> None:
    head = Recording.read(folder).exchanges[0]
    assert (head.number, head.call, head.status) == (1, "GET /objects", 200)
    assert head.json() == ["activities", "contact", "campaign", "list", "account"]
    assert sorted(path.name for path in folder.iterdir())[:3] == [
        "0001-GET-objects.json",
        "0002-POST-bulk-contact.json",
        "0003-GET-bulk-1234-status.json",
    ]


# -- redaction, value by value ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("C_EmailAddress", "a@b.com", "person1@redacted.example"),
        ("C_EmailAddress", "a(at)b.com", "redacted-address-1"),
        ("first_name", "Ann", "Redacted1"),
        ("CompanyName", "Acme", "Redacted1"),
        ("token", "abc", "redacted-secret-1"),
        ("oauth.api.secret", "abc", "redacted-secret-1"),
        ("signing.key", "abc", "redacted-secret-1"),
        ("password", "********", "********"),
        ("note", "write to a@b.com", "write to person1@redacted.example"),
        ("object_name", "contact", "contact"),
        ("status", "COMPLETED", "COMPLETED"),
        ("name", "Sage 200", "Sage 200"),
        ("recordsCount", 3, 3),
        ("error", None, None),
        ("metadata", '{"password":"abc"}', '{"password":"redacted-secret-1"}'),
        ("vat", "DE1", "redacted-1"),
        ("VAT", 17, "redacted-1"),
    ],
)
def test_a_value_is_redacted_by_its_field(field: str, value: object, expected: object) -> None:
    assert Redactor(["vat"]).value(field, value) == expected


def test_what_is_known_is_found_in_other_texts() -> None:
    redactor = Redactor()
    redactor.headers({"Authorization": "Element tok+en/1=, User us-er"})
    redactor.value("company", "Acme Data Ltd")
    redactor.value("first_name", "Al")
    text = redactor.text("Acme Data Ltd, token tok+en/1=x, Al")
    assert text == "Redacted1, token redacted-element-1x, Al"  # two letters may be any word


def test_conditions_are_redacted_by_their_fields() -> None:
    redactor = Redactor()
    assert redactor.target("/contact?where=first_name%3D%27O%27%27Hara%27+and+title%3D%27Director%27") == (
        "/contact?where=first_name%3D%27Redacted1%27+and+title%3D%27Director%27"
    )
    assert (
        redactor.target("/contact?where=first_name%3D%22O%27Hara%22")
        == "/contact?where=first_name%3D%22Redacted1%22"
    )


def test_headers_that_nobody_named_are_left_out() -> None:
    kept = Redactor().headers({
        "X-Api-Key": "k", "Cookie": "c", "User-Agent": "u", "Accept": "text/csv",
        "Elements-Async-Callback-Url": "https://me.example/?token=x",
    })  # fmt: skip
    assert kept == {
        "accept": "text/csv",
        "elements-async-callback-url": "https://redacted-callback-1.example/",
    }


def test_a_body_that_is_no_text_is_left_out() -> None:
    assert Redactor().body("text/csv", b"\xff\xfe") == b""


def test_json_lines_are_redacted_line_by_line() -> None:
    body = b'{"email": "a@b.com"}\n{"email": "a@b.com"}\n'
    assert Redactor().body("application/json", body) == b'{"email": "person1@redacted.example"}\n' * 2


# -- the proxy ----------------------------------------------------------------------------------------------


def test_the_client_gets_what_the_service_answered(tmp_path: Path) -> None:
    clock = ManualClock()
    with upstream(clock) as (url, instance):
        headers = {"Authorization": f"Element {instance.token}, User {instance.user_secret}"}
        recorder = Recorder(url, tmp_path / "r", clock=clock.now)
        with Server(recorder) as server:
            through = requests.get(
                f"{server.url}{BASE_PATH}/objects/contact%2Fx/metadata?a=b%26c", headers=headers
            )
        direct = requests.get(f"{url}/objects/contact%2Fx/metadata?a=b%26c", headers=headers)
        recorder.close()
    assert through.status_code == direct.status_code == 404
    assert through.json()["message"] == direct.json()["message"] == "Object 'contact/x' does not exist"
    assert through.headers["elements-request-id"] == through.json()["requestId"]


def test_a_service_that_cannot_be_reached_is_502(tmp_path: Path) -> None:
    with closed_port() as port:
        recorder = Recorder(f"http://127.0.0.1:{port}", tmp_path / "r")
        with Server(recorder) as server:
            answer = requests.get(f"{server.url}{BASE_PATH}/objects", timeout=PATIENCE)
            elsewhere = requests.get(f"{server.url}/other", timeout=PATIENCE)
    recorder.close()
    assert answer.status_code == 502
    assert answer.json()["message"] == "The upstream service cannot be reached: Connection refused"
    assert elsewhere.json()["message"] == "the recorder answers below /elements/api-v2, got /other"
    assert recorder.written == 0


def test_a_service_that_breaks_off_is_502_and_not_written_down(tmp_path: Path) -> None:
    with upstream(ManualClock()) as (url, instance):
        instance.faults.on("objects", truncate(after=1))
        recorder = Recorder(url, tmp_path / "r")
        headers = {"Authorization": f"Element {instance.token}, User {instance.user_secret}"}
        with Server(recorder) as server:
            answer = requests.get(f"{server.url}{BASE_PATH}/objects", headers=headers, timeout=PATIENCE)
        recorder.close()
    assert answer.status_code == 502
    assert answer.json()["message"].startswith("The upstream service cannot be reached: ")
    assert answer.json()["requestId"] == answer.headers["elements-request-id"]
    assert recorder.written == 0


def test_a_large_body_is_passed_on_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_ocbulk.recording.recorder.LARGEST_BODY", 100)
    with recorded(tmp_path / "r", ManualClock()) as client:
        job = client.upload("contact", CSV)
        assert client.wait(job).records_count == 3
    exchanges = Recording.read(tmp_path / "r").exchanges
    assert [(each.call, each.cut, each.body) for each in exchanges[:1]] == [("POST /bulk/contact", True, b"")]
    assert replay(Recording(exchanges[:1])).not_played == (1,)


def test_a_second_recording_does_not_go_into_the_first_ones_folder(folder: Path) -> None:
    with pytest.raises(OcBulkError) as refusal:
        Recorder("http://127.0.0.1:9", folder)
    assert str(refusal.value) == (
        f"{folder} holds a recording already; name a new folder with --to, or remove it"
    )


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda folder: None, "holds no recording that can be read"),
        (
            lambda folder: (folder / "recording.json").write_text('{"version": 9}'),
            "expected version 1, got 9",
        ),
    ],
)
def test_a_folder_without_a_recording_is_refused(
    tmp_path: Path, spoil: Callable[[Path], object], complaint: str
) -> None:
    spoil(tmp_path)
    with pytest.raises(OcBulkError, match=re.escape(complaint)):
        Recording.read(tmp_path)


def test_an_exchange_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    begin(tmp_path / "r")
    broken = tmp_path / "r" / "0001-GET-ping.json"
    broken.write_text('{"number": 1}')
    with pytest.raises(OcBulkError) as refused:
        Recording.read(tmp_path / "r")
    assert str(refused.value) == (
        f"{broken}: expected an exchange as `ocbulk record` writes it, got another file ('body'); remove it, or record"
        " again"
    )


# -- courses ------------------------------------------------------------------------------------------------


def test_a_recorded_job_is_a_timeline_for_next_job(folder: Path) -> None:
    upload, query = recorded_jobs(folder)
    assert (upload.id, upload.object_name, upload.direction) == ("1234", "contact", "UPLOAD")
    assert upload.timeline == "CREATED 2s RUNNING 5s COMPLETED"
    assert str(Timeline.parse(query.timeline)) == "CREATED 2s RUNNING 5s COMPLETED"


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([(0, "CREATED"), (0.02, "COMPLETED")], "CREATED COMPLETED"),
        ([(0, "CREATED"), (3.1, "COMPLETED")], "CREATED 2s COMPLETED"),
        ([(0, "CREATED"), (0.9, "CREATED"), (1.1, "RUNNING"), (59.2, "RUNNING"), (62.4, "ERROR")],
         "CREATED 1s RUNNING 1m ERROR"),
        ([(0, "CREATED"), (1, "RUNNING"), (2, "RUNNING")], "CREATED 1s RUNNING forever"),
        ([(0, "CREATED"), (1, "QUEUED_V2"), (2, "COMPLETE")], "CREATED 1s 'QUEUED_V2' 1s COMPLETE"),
        ([(0, "CREATED"), (1.003, "CREATED"), (1.007, "COMPLETE")], "CREATED 1.005s COMPLETE"),
    ],
)  # fmt: skip
def test_a_course_is_told_in_round_durations(looks: list[tuple[float, str]], expected: str) -> None:
    found = timeline_of([Look(at, status) for at, status in looks])
    assert found == expected
    assert Timeline.parse(found).steps


@pytest.mark.parametrize(
    ("after", "until", "expected"),
    [(0, 3.1, 2), (57, 61, 60), (3599, 3605, 3600), (4.2, 4.9, 4.5), (1.2341, 1.2343, 1.234)],
)
def test_a_duration_is_rounded_within_its_bounds(after: float, until: float, expected: float) -> None:
    assert rounded(after, until) == pytest.approx(expected, abs=0.001)


# -- replay -------------------------------------------------------------------------------------------------


def test_played_against_the_same_dialect_nothing_differs(folder: Path) -> None:
    found = replay(folder, dialect="live")
    assert found.differences == ()
    assert found.played == len(Recording.read(folder).exchanges) > 20


def test_played_against_the_other_dialect_exactly_the_status_word_differs(folder: Path) -> None:
    found = replay(folder, dialect="documented")
    assert found.grouped() == [
        ("GET /bulk/{id}/status", "status", '"COMPLETED"', '"COMPLETE"', 2),
        ("GET /bulk/jobs", "[0].status", '"COMPLETED"', '"COMPLETE"', 1),
    ]


def _spoiled(
    recording: Recording, number: int, change: Callable[[RecordedExchange], RecordedExchange]
) -> Recording:
    return Recording(tuple(change(each) if each.number == number else each for each in recording.exchanges))


@pytest.mark.parametrize(
    ("call", "change", "expected"),
    [
        ("GET /objects", lambda e: replace(e, status=401), ("status code", "401", "200")),
        ("GET /objects", lambda e: replace(e, answer=b'["contact"]'), ("items", "1", "5")),
        (
            "GET /contact",
            lambda e: replace(e, answer_headers={**e.answer_headers, "elements-returned-count": "3"}),
            ("header elements-returned-count", "3", "2"),
        ),
        (
            "POST /bulk/contact",
            lambda e: replace(e, answer=json.dumps({**e.json(), "message": None}).encode()),
            ("message", "null", "nothing"),
        ),
        (
            "GET /bulk/1234/errors",
            lambda e: replace(e, answer=e.answer.replace(b'"rowNum": 2', b'"rowNum": 3')),
            ("[0].rowNum", "3", "2"),
        ),
        (
            "GET /bulk/1235/contact",
            lambda e: replace(e, answer=e.answer.replace(b"Redacted", b"Other")),
            ("line 2", "person1@redacted.example,Other1", "person1@redacted.example,Redacted1"),
        ),
    ],
)
def test_what_differs_is_named(
    folder: Path,
    call: str,
    change: Callable[[RecordedExchange], RecordedExchange],
    expected: tuple[str, str, str],
) -> None:
    recording = Recording.read(folder)
    number = next(each.number for each in recording.exchanges if each.call == call)
    found = replay(_spoiled(recording, number, change), dialect="live").differences
    assert [(each.number, each.field, each.recorded, each.fake) for each in found] == [(number, *expected)]


def test_a_fake_that_mixes_ids_up_is_found() -> None:
    from pytest_ocbulk.recording.comparing import Bindings

    bindings = Bindings()
    assert bindings.bind("41", "1234")
    assert bindings.bind("41", "1234")
    assert not bindings.bind("41", "1235")
    assert not bindings.bind("42", "1234")
    assert not bindings.bind("43", 1236)
    assert bindings.fake("41") == "1234"
    assert bindings.fake("contact") == "contact"


# -- the commands -------------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(ocbulk, [*arguments])
    return result.exit_code, result.output


def test_the_command_replay_prints_the_differences(folder: Path) -> None:
    code, output = run("replay", str(folder))
    assert code == Exit.ROWS_FAILED
    lines = [re.sub(r"  +", "  ", line) for line in output.splitlines()]
    assert lines == [
        "call  field  recorded  fake  times",
        'GET /bulk/{id}/status  status  "COMPLETED"  "COMPLETE"  2',
        'GET /bulk/jobs  [0].status  "COMPLETED"  "COMPLETE"  1',
        f"{len(Recording.read(folder).exchanges)} exchanges played, 3 differences",
    ]


def test_the_command_replay_ends_with_0_when_nothing_differs(folder: Path) -> None:
    code, output = run("replay", str(folder), "--dialect", "live")
    assert code == Exit.FINE
    assert output.endswith(" exchanges played, 0 differences\n")


def test_the_command_replay_shows_jobs_as_timelines(folder: Path) -> None:
    code, output = run("replay", str(folder), "--jobs", "--json")
    assert code == Exit.FINE
    assert json.loads(output.splitlines()[0]) == {
        "job": "1234",
        "direction": "UPLOAD",
        "object": "contact",
        "timeline": "CREATED 2s RUNNING 5s COMPLETED",
    }


def test_the_command_replay_refuses_a_folder_without_a_recording(tmp_path: Path) -> None:
    code, output = run("replay", str(tmp_path))
    assert code == Exit.REFUSED
    assert output.startswith(f"Error: {tmp_path} holds no recording that can be read: ")


def test_the_command_record_records_until_it_is_interrupted(tmp_path: Path) -> None:
    with upstream(ManualClock()) as (url, instance):
        arguments = ["record", "--upstream", url, "--to", str(tmp_path / "r"), "--port", "0"]
        program = "from pytest_ocbulk.cli import main; main()"
        with subprocess.Popen(
            [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.fullmatch(
                r"recording at (http://127.0.0.1:\d+/elements/api-v2), end with Ctrl-C\n", line
            )
            assert found is not None, line
            headers = {"Authorization": f"Element {instance.token}, User {instance.user_secret}"}
            assert requests.get(f"{found[1]}/objects", headers=headers, timeout=PATIENCE).status_code == 200
            form = {"file": ("a.csv", CSV)}
            requests.post(f"{found[1]}/bulk/contact", headers=headers, files=form, timeout=PATIENCE)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == Exit.FINE
    assert output == f"2 exchanges in {tmp_path / 'r'}\njob 1234 UPLOAD contact: CREATED forever\n"


def test_a_folder_can_be_written_by_hand(tmp_path: Path) -> None:
    begin(tmp_path / "r")
    exchange = RecordedExchange(
        1, 0.0, 0.0, "GET", "/ping", {}, b"", 401, {"content-type": "x"}, b"\xff", cut=False
    )
    assert write(tmp_path / "r", exchange).name == "0001-GET-ping.json"
    assert Recording.read(tmp_path / "r").exchanges == (exchange,)
