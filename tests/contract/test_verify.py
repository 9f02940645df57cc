"""`ocbulk verify` and `pytest --pyargs pytest_ocbulk.contract`, at a fake that stands in for a real account."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from pytest_ocbulk.cli.group import Exit, ocbulk
from pytest_ocbulk.contract.accounts import account
from pytest_ocbulk.contract.running import all_cases
from pytest_ocbulk.contract.settings import EXAMPLES, ContractSettings
from pytest_ocbulk.delivery import Deliverer
from pytest_ocbulk.emulator.callbacks import SIGNATURE_KEY
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.server import Server

from ..ports import closed_port, reserved_port
from ..served import Served, served

SETTINGS = str(EXAMPLES / "marketing.toml")
WORDS = {
    "an_upload_ends_well",
    "a_bad_row_fails_alone_with_batches_of_one",
    "an_unknown_object_is_accepted_and_fails_row_by_row",
    "a_header_alone_is_a_job_without_rows",
    "a_query_counts_what_it_found",
}


@pytest.fixture
def service() -> Iterator[Served]:
    """A fake in dialect live; the clock of its client stands still but for its sleeping."""
    emulator = Emulator()
    with Server(emulator) as server, served(server, emulator, dialect="live") as found:
        yield found
    emulator.close()


def run(service: Served, *arguments: str) -> tuple[int, str]:
    command = ["verify", "--url", service.base_url, "--settings", SETTINGS, *arguments]
    result = CliRunner().invoke(ocbulk, command, env=service.environment)
    return result.exit_code, result.output


def test_a_service_that_words_things_as_the_fake_does_is_the_same(service: Served) -> None:
    code, output = run(service, "--dialect", "live")
    assert code == Exit.FINE
    lines = output.splitlines()
    assert [cell for cell in lines[0].split("  ") if cell][:2] == ["verdict", "case"]
    skipped = 3  # cancelling, whose job had ended, and the two about callbacks, which have no receiver
    assert lines[-1].startswith(f"{service.base_url} against fake (socket, live), 20")
    assert lines[-1].endswith(f": {len(all_cases()) - skipped} same, {skipped} skipped")


def test_a_service_in_the_other_dialect_differs_in_the_final_word_and_nothing_else(service: Served) -> None:
    code, output = run(service, "--json")
    assert code == Exit.ROWS_FAILED
    found = json.loads(output)
    differing = [line for line in found["lines"] if line["verdict"] == "DIFFERS"]
    assert {line["case"] for line in differing} == WORDS
    assert {(line["fact"], line["expected"], line["seen"]) for line in differing} == {
        ("final word", '"COMPLETE"', '"COMPLETED"')
    }


def test_an_accepted_difference_makes_it_pass(service: Served, tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.toml"
    entry = '[[accepted]]\ncase = "{}"\nfact = "final word"\nreason = "live"\nuntil = 9999-12-31\n'
    accepted.write_text("".join(map(entry.format, sorted(WORDS))))
    cases = [argument for name in sorted(WORDS) for argument in ("--case", name)]
    code, output = run(service, "--accept", str(accepted), *cases)
    assert code == Exit.FINE
    assert f"{len(WORDS)} accepted" in output.splitlines()[-1]
    code, output = run(service, "--accept", str(accepted), "--dialect", "live", *cases)
    assert code == Exit.ROWS_FAILED
    assert "GONE an_upload_ends_well: final word: no longer occurs, take it out: live" in output


def test_one_case_can_be_chosen_and_the_result_noted(service: Served, tmp_path: Path) -> None:
    junit, note = tmp_path / "parity.xml", tmp_path / "checked.jsonl"
    code, output = run(service, "--case", "ping_answers_health", "--junit", str(junit), "--note", str(note))
    assert code == Exit.FINE
    assert [line.split()[:2] for line in output.splitlines()[:2]] == [
        ["verdict", "case"],
        ["same", "ping_answers_health"],
    ]
    assert ET.fromstring(junit.read_text())[0].get("tests") == "1"
    noted = json.loads(note.read_text())
    assert noted["target"] == service.base_url
    assert noted["cases"] == {"ping_answers_health": "same"}


def test_a_case_that_there_is_not_is_refused(service: Served) -> None:
    code, output = run(service, "--case", "ping")
    assert code == Exit.REFUSED
    assert output.startswith("Error: there is no case 'ping'")


def test_readonly_leaves_the_service_as_it_was(service: Served) -> None:
    code, output = run(service, "--readonly")
    assert code == Exit.FINE
    assert "readonly: this case makes records" in output
    assert len(service.instance.jobs) == 0


def test_nothing_but_skipped_cases_is_no_success(service: Served) -> None:
    code, output = run(service, "--readonly", "--case", "a_batch_fails_as_a_whole")
    assert code == Exit.REFUSED
    assert output.splitlines()[-2].endswith(": 1 skipped")
    assert output.splitlines()[-1] == "Error: nothing was compared: every case was skipped, its note says why"


def test_a_missing_secret_is_named() -> None:
    with (
        pytest.raises(OcBulkError) as refusal,
        account("http://x", ContractSettings(), environment={"OPEN_CONNECTORS_USER_SECRET": "s"}),
    ):
        pass
    assert str(refusal.value) == "set OPEN_CONNECTORS_ELEMENT_TOKEN: the secrets of the instance at http://x"


def test_a_service_that_is_not_there_is_told_once_and_no_case_runs() -> None:
    environment = {"OPEN_CONNECTORS_ELEMENT_TOKEN": "e", "OPEN_CONNECTORS_USER_SECRET": "u"}
    with closed_port() as port:
        result = CliRunner().invoke(ocbulk, ["verify", "--url", f"http://127.0.0.1:{port}"], env=environment)
    assert result.exit_code == Exit.REFUSED
    assert result.output == (
        f"Error: cannot reach http://127.0.0.1:{port}: Connection refused; no case was run;"
        " check the URL and the way to it\n"
    )


def test_a_wrong_secret_is_told_once_and_no_case_runs(service: Served) -> None:
    environment = {**service.environment, "OPEN_CONNECTORS_ELEMENT_TOKEN": "wrong"}
    result = CliRunner().invoke(ocbulk, ["verify", "--url", service.base_url], env=environment)
    assert result.exit_code == Exit.REFUSED
    assert result.output == (
        f"Error: 401 for GET {service.base_url}/objects: 'Invalid Organization or User secret, or invalid Element"
        " token provided.'; no case was run; check OPEN_CONNECTORS_ELEMENT_TOKEN, OPEN_CONNECTORS_USER_SECRET and,"
        " where one is needed, OPEN_CONNECTORS_ORGANIZATION_SECRET\n"
    )
    assert len(service.instance.journal) == 0


def test_a_url_that_stops_too_early_is_told_once_and_no_case_runs(service: Served) -> None:
    url = service.base_url.removesuffix("/elements/api-v2")
    result = CliRunner().invoke(ocbulk, ["verify", "--url", url], env=service.environment)
    assert result.exit_code == Exit.REFUSED
    assert result.output.startswith(f"Error: 404 for GET {url}/objects: ")
    assert result.output.endswith("; no case was run; the URL goes up to and includes /elements/api-v2\n")


@pytest.fixture
def port() -> Iterator[int]:
    with reserved_port() as reserved:
        yield reserved


def test_callbacks_arrive_where_the_settings_say(tmp_path: Path, port: int) -> None:
    settings, listen = tmp_path / "ocbulk_contract.toml", f"127.0.0.1:{port}"
    lines = f'callback_url = "http://{listen}/x"\ncallback_listen = "{listen}"\n'
    settings.write_text(lines + Path(SETTINGS).read_text())
    emulator = Emulator()
    deliverer = Deliverer(emulator)
    with Server(emulator, on_wake=deliverer.wake) as server, served(server, emulator) as service:
        service.instance.configuration[SIGNATURE_KEY] = "k"
        command = ["verify", "--url", service.base_url, "--settings", str(settings)]
        command += ["--case", "the_end_of_a_job_is_posted", "--case", "callbacks_are_signed"]
        signed = CliRunner().invoke(ocbulk, command, env={**service.environment, "OCBULK_SIGNATURE_KEY": "k"})
        wrong = CliRunner().invoke(ocbulk, command, env={**service.environment, "OCBULK_SIGNATURE_KEY": "x"})
        unknown = CliRunner().invoke(ocbulk, command, env=service.environment)
    deliverer.stop()
    emulator.close()
    assert (signed.exit_code, "2 same" in signed.output) == (Exit.FINE, True)
    assert wrong.exit_code == Exit.ROWS_FAILED
    assert "DIFFERS callbacks_are_signed: it fits" in wrong.output
    assert unknown.exit_code == Exit.FINE
    assert (
        "OCBULK_SIGNATURE_KEY is not set: the instance's event.notification.signature.key" in unknown.output
    )


# -- the suite as it ships ----------------------------------------------------------------------------------


def suite(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--pyargs",
        "pytest_ocbulk.contract",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    variables = {"PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_ocbulk.plugin"}
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=variables | environment,
        check=False,
    )


def test_the_suite_is_green_at_the_fake_through_every_door_in_both_dialects(tmp_path: Path) -> None:
    done = suite(tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"{6 * len(all_cases())} passed in ")


def test_the_suite_runs_at_a_target_alone(service: Served, tmp_path: Path) -> None:
    (tmp_path / "ocbulk_contract.toml").write_text(Path(SETTINGS).read_text())
    done = suite(
        tmp_path, "--ocbulk-target", service.base_url, "--ocbulk-readonly", "-rs", **service.environment
    )
    assert done.returncode == 0, done.stdout
    assert "readonly: this case makes records" in done.stdout
    assert len(service.instance.jobs) == 0


def test_the_suite_says_what_is_wrong_where_and_what_says_so(service: Served, tmp_path: Path) -> None:
    service.instance.dialect = service.instance.dialect.with_quirks({"hub_checked": True})
    done = suite(tmp_path, "--ocbulk-target", service.base_url, "-k", "hub", **service.environment)
    assert done.returncode == 1
    assert (
        f"{service.base_url}: A hub that does not exist changes nothing\n"
        "  status: expected 200, got 404\n"
        "  same as without a hub: expected true, got false\n"
        "  evidence: [live-test] CH18 platform/elements/instances.js, 'should ignore any provided hub' (protocol 1)"
    ) in done.stdout


def test_the_suite_without_secrets_does_not_begin(tmp_path: Path) -> None:
    done = suite(tmp_path, "--ocbulk-target", "http://127.0.0.1:9")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert (
        "--ocbulk-target: set OPEN_CONNECTORS_ELEMENT_TOKEN and OPEN_CONNECTORS_USER_SECRET:"
        " the secrets of the instance at http://127.0.0.1:9"
    ) in done.stdout + done.stderr
