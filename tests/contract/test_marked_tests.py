"""Tests marked `ocbulk_contract`, as downstream has them: the same body at the fake and at a real service.

A fake behind a socket, in the other dialect, stands in for the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

import pytest

from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.dialect import LIVE
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.messages import BASE_PATH
from pytest_ocbulk.server import Server

pytest_plugins = ["pytester"]

UPLOAD = """
    import pytest

    @pytest.mark.ocbulk_contract
    def test_a_contact_arrives(ocbulk_client):
        job = ocbulk_client.upload("contact", b"C_EmailAddress\\nann@example.com\\n")
        assert ocbulk_client.wait(job).check().word == "COMPLETED"
        print("status", ocbulk_client.status(job).status)

    def test_of_the_fake_alone(ocbulk_client):
        assert "contact" in ocbulk_client.objects()
"""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Instance]]:
    """What stands in for the service; its secrets are in the environment."""
    emulator = Emulator()
    instance = emulator.create_instance(built_in("marketing"), dialect=LIVE)
    monkeypatch.setenv("OPEN_CONNECTORS_ELEMENT_TOKEN", instance.token)
    monkeypatch.setenv("OPEN_CONNECTORS_USER_SECRET", instance.user_secret)
    with Server(emulator) as server:
        yield server.url + BASE_PATH, instance
    emulator.close()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: pytest.Pytester, module: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=dedent(module))
    return pytester.runpytest_inprocess("-p", "pytest_ocbulk.plugin", "--strict-markers", *options)


def test_without_a_target_a_marked_test_runs_at_the_fake(pytester: pytest.Pytester) -> None:
    result = run(pytester, UPLOAD, "-rA", "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*test_a_contact_arrives PASSED*", "status COMPLETE"])


def test_with_a_target_it_runs_there_too_with_the_same_body(
    pytester: pytest.Pytester, service: tuple[str, Instance]
) -> None:
    url, instance = service
    result = run(pytester, UPLOAD, "-rA", "-v", f"--ocbulk-target={url}")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "*test_a_contact_arrives[[]fake[]] PASSED*",
            "*test_a_contact_arrives[[]target[]] PASSED*",
            "*test_of_the_fake_alone PASSED*",
            "status COMPLETE",
            "status COMPLETED",
        ]
    )
    assert [job.object_name for job in instance.jobs.values()] == ["contact"]


@pytest.mark.parametrize("fixture", ["ocbulk", "ocbulk_server", "make_ocbulk", "ocbulk_receiver"])
def test_what_only_a_fake_has_is_refused_at_the_target(
    pytester: pytest.Pytester, service: tuple[str, Instance], fixture: str
) -> None:
    url, _ = service
    module = f"""
        import pytest

        @pytest.mark.ocbulk_contract
        def test_it({fixture}, ocbulk_client):
            assert ocbulk_client.objects()
    """
    result = run(pytester, module, f"--ocbulk-target={url}")
    result.assert_outcomes(passed=1, errors=1)
    assert (
        f"the fixture '{fixture}' has the clock, the faults and the plans of a fake, which {url} does not have; "
        f"a test marked ocbulk_contract uses ocbulk_client only. Take the mark off, or put what needs '{fixture}' "
        "into a test of its own"
    ) in str(result.stdout)


def test_it_is_refused_when_it_is_asked_for_by_name_as_well(
    pytester: pytest.Pytester, service: tuple[str, Instance]
) -> None:
    module = """
        import pytest

        @pytest.mark.ocbulk_contract
        def test_it(request, ocbulk_client):
            request.getfixturevalue("ocbulk").clock.advance("1s")
    """
    result = run(pytester, module, f"--ocbulk-target={service[0]}")
    result.assert_outcomes(passed=1, failed=1)
    assert "the fixture 'ocbulk' has the clock, the faults and the plans of a fake" in str(result.stdout)


def test_a_marked_test_that_does_not_talk_to_the_service_is_refused(
    pytester: pytest.Pytester, service: tuple[str, Instance]
) -> None:
    module = """
        import pytest

        @pytest.mark.ocbulk_contract
        def test_it():
            pass
    """
    result = run(pytester, module, f"--ocbulk-target={service[0]}")
    result.assert_outcomes(passed=1, errors=1)
    assert (
        f"a test marked ocbulk_contract talks to {service[0]} through the fixture ocbulk_client; this one does not"
        " use it"
    ) in str(result.stdout)


def test_a_missing_secret_is_named(pytester: pytest.Pytester, service: tuple[str, Instance]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPEN_CONNECTORS_USER_SECRET")
        result = run(pytester, UPLOAD, f"--ocbulk-target={service[0]}")
    result.assert_outcomes(passed=2, errors=1)
    assert (
        f"--ocbulk-target {service[0]}: set OPEN_CONNECTORS_USER_SECRET, which say which connector instance to talk to"
    ) in str(result.stdout)


def test_read_only_a_test_that_writes_is_stopped_before_it_does(
    pytester: pytest.Pytester, service: tuple[str, Instance]
) -> None:
    url, instance = service
    module = """
        import pytest

        @pytest.mark.ocbulk_contract
        def test_reads(ocbulk_client):
            assert "contact" in ocbulk_client.objects()

        @pytest.mark.ocbulk_contract
        def test_writes(ocbulk_client):
            try:
                ocbulk_client.upload("contact", b"C_EmailAddress\\nann@example.com\\n")
            except Exception:
                pass
    """
    result = run(pytester, module, f"--ocbulk-target={url}", "--ocbulk-readonly")
    result.assert_outcomes(passed=3, failed=1)
    assert (
        f"POST {url}/bulk/contact was not sent: with --ocbulk-readonly a test marked ocbulk_contract makes no call but"
        f" GET at {url}; run it without --ocbulk-readonly, or without the mark"
    ) in str(result.stdout)
    assert not instance.jobs
    result.stdout.fnmatch_lines([f"ocbulk: target {url}, read only (--ocbulk-readonly)"])


@pytest.mark.parametrize("option", [(), ("--ocbulk-target",)], ids=["without a target", "with a target"])
@pytest.mark.parametrize("argument", ["readonly=True", "'slow', foo=1"])
def test_a_mark_that_says_more_is_refused(
    pytester: pytest.Pytester, service: tuple[str, Instance], option: tuple[str, ...], argument: str
) -> None:
    module = f"""
        import pytest

        @pytest.mark.ocbulk_contract({argument})
        def test_it(ocbulk_client):
            pass
    """
    result = run(pytester, module, *(f"{each}={service[0]}" for each in option))
    result.assert_outcomes(errors=2 if option else 1)
    place = "test_it.py::test_it[fake]" if option else "test_it.py::test_it"
    assert (
        f"@pytest.mark.ocbulk_contract on {place}: takes no arguments, got {argument}; "
        "that nothing may be changed at the service is said by the option --ocbulk-readonly"
    ) in str(result.stdout)


@pytest.mark.parametrize(
    ("target", "hint"),
    [("", "; if it comes from a variable, that is not set"), ("crm.example", "")],
)
def test_a_target_that_is_none_stops_the_session(pytester: pytest.Pytester, target: str, hint: str) -> None:
    result = run(pytester, UPLOAD, f"--ocbulk-target={target}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        "ERROR: --ocbulk-target: a base URL looks like "
        f"https://api.openconnectors.us2.ext.hana.ondemand.com/elements/api-v2, got {target!r}{hint}"
    ) in str(result.stderr).splitlines()


def test_a_method_of_a_test_case_cannot_run_at_both(
    pytester: pytest.Pytester, service: tuple[str, Instance]
) -> None:
    module = """
        import unittest
        import pytest

        class TestIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _client(self, ocbulk_client):
                self.client = ocbulk_client

            @pytest.mark.ocbulk_contract
            def test_it(self):
                assert self.client.objects()
    """
    result = run(pytester, module, f"--ocbulk-target={service[0]}")
    result.assert_outcomes(errors=1)
    assert (
        f"a test marked ocbulk_contract runs at {service[0]} as well as at the fake, but only a function that has"
        " ocbulk_client among its arguments can be run twice; a TestCase method has none: write it as a function"
    ) in str(result.stdout)


def test_in_both_dialects_it_runs_twice_at_the_fake_and_once_at_the_target(
    pytester: pytest.Pytester, service: tuple[str, Instance]
) -> None:
    result = run(pytester, UPLOAD, "-v", f"--ocbulk-target={service[0]}", "--ocbulk-dialect=both")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        [
            "*test_a_contact_arrives[[]fake-documented[]] PASSED*",
            "*test_a_contact_arrives[[]fake-live[]] PASSED*",
            "*test_a_contact_arrives[[]target[]] PASSED*",
            "*test_of_the_fake_alone[[]documented[]] PASSED*",
            "*test_of_the_fake_alone[[]live[]] PASSED*",
        ]
    )
    assert len(service[1].jobs) == 1


def test_markers_and_options_are_told(pytester: pytest.Pytester) -> None:
    listed = run(pytester, UPLOAD, "--markers")
    listed.stdout.fnmatch_lines(
        ["@pytest.mark.ocbulk_contract: run this test, which uses ocbulk_client, at*"]
    )
    helped = run(pytester, UPLOAD, "--help")
    helped.stdout.fnmatch_lines(["  --ocbulk-target=URL*", "  --ocbulk-readonly *"])
