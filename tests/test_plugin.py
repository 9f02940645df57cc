"""The plugin as pytest sees it: fixtures, marker, options, dialects; each test runs pytest inside pytest."""

from __future__ import annotations

import re
from textwrap import dedent

import faker  # noqa: F401  # loaded once, not by each run inside
import pytest

import pytest_ocbulk.contacts.pools  # loaded once, not by each run inside
import pytest_ocbulk.fakes
import pytest_ocbulk.intercept
import pytest_ocbulk.server  # noqa: F401  # as above

from .ports import closed_port

pytest_plugins = ["pytester"]

UPLOAD = """
import requests

def upload(fake, content=b"C_EmailAddress\\nann@example.com\\n", object="contact"):
    answer = requests.post(f"{fake.base_url}/bulk/{object}", headers=fake.headers, files={"file": content})
    return answer.json()["id"]

def call(fake, path, method="GET"):
    return requests.request(method, fake.base_url + path, headers=fake.headers)
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a test module inside, with this plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name in ("DIALECT", "SEED", "CONNECTOR", "BASE_URL"):
        monkeypatch.delenv(f"OCBULK_{name}", raising=False)
    return Run(pytester)


class Run:
    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        pytester.makepyfile(uploading=UPLOAD)

    def __call__(self, module: str, *options: str, ini: str = "") -> pytest.RunResult:
        self.pytester.makeini(f"[pytest]\n{ini}")
        self.pytester.makepyfile(test_it="from uploading import *\nimport pytest\n" + dedent(module))
        return self.pytester.runpytest_inprocess("-p", "pytest_ocbulk.plugin", *options)


def errors(result: pytest.RunResult) -> list[str]:
    """What a run complains about, below the headings of errors and failures."""
    text = str(result.stdout)
    found = re.search(r"=+ (?:ERRORS|FAILURES) =+\n(.*?)\n=+ (?:short|PASSES|\d)", text, re.DOTALL)
    return found[1].splitlines()[1:] if found else []


# -- the marker -------------------------------------------------------------------------------------------


def test_the_marker_says_what_a_fake_starts_with(run: Run) -> None:
    result = run("""
        pytestmark = pytest.mark.ocbulk(connector="sage200", dialect="live")

        @pytest.mark.ocbulk(job="CREATED 5s COMPLETE", quirks={"id_type": "number"})
        def test_all(ocbulk):
            assert (ocbulk.connector, ocbulk.dialect) == ("sage200", "live")
            assert upload(ocbulk) == 1234
            assert ocbulk.jobs[0].timeline == "CREATED 5s COMPLETED"
            ocbulk.clock.advance("5s")

        @pytest.mark.ocbulk(connector="sqlserver")
        def test_the_nearest_marker_wins(ocbulk):
            assert (ocbulk.connector, ocbulk.dialect) == ("sqlserver", "live")
        """)
    result.assert_outcomes(passed=2)


def test_a_connector_may_be_a_file_beside_the_test(run: Run) -> None:
    run.pytester.makefile(".toml", mine="key = 'mine'\nname = 'Mine'\nhub = 'crm'\n[objects.lead]\n")
    result = run("""
        @pytest.mark.ocbulk(connector="mine.toml")
        def test_it(ocbulk):
            assert call(ocbulk, "/objects").json() == ["lead"]
        """)
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("conector='sage200'", "unknown keyword 'conector'; did you mean 'connector'?"),
        ("'sage200'", "takes keywords only, got 'sage200'"),
        (
            "connector='sage20'",
            "unknown connector 'sage20' (a file of your own ends in .toml); did you mean 'sage200'?",
        ),
        ("connector=7", "connector is a name like 'sage200' or a file like 'mine.toml', got 7"),
        ("dialect='live!'", "unknown dialect 'live!'; did you mean 'live'?"),
        ("dialect='x'", "unknown dialect 'x'; known are both, documented, live"),
        ("dialect=7", "dialect is 'documented', 'live' or 'both', got 7"),
        ("job=7", "job is a timeline like 'CREATED 2s RUNNING COMPLETE', got 7"),
        (
            "job='CREATED 2s'",
            (
                "timeline 'CREATED 2s' ends in CREATED, which is not final; write 'CREATED forever' for a job that"
                " never ends, or add COMPLETE"
            ),
        ),
        ("quirks={'idtype': 'number'}", "unknown quirk 'idtype'; did you mean 'id_type'?"),
        ("quirks='id_type'", "quirks is a dictionary like {'id_type': 'number'}, got 'id_type'"),
        ("allow='stray_calls'", "unknown allowance 'stray_calls'; did you mean 'stray_call'?"),
        ("allow=7", "allow is a name or several, got 7"),
        (
            "allow='unused_job unfired_fault'",
            (
                "several allowances go in a list: allow=['unused_job', 'unfired_fault'],"
                " got 'unused_job unfired_fault'"
            ),
        ),
        (
            "allow='unused_job, unfired_fault'",
            (
                "several allowances go in a list: allow=['unused_job', 'unfired_fault'],"
                " got 'unused_job, unfired_fault'"
            ),
        ),
    ],
)
def test_a_wrong_marker_is_refused_when_the_fixture_is_set_up(run: Run, arguments: str, text: str) -> None:
    result = run(f"""
        @pytest.mark.ocbulk({arguments})
        def test_it(ocbulk):
            pass
        """)
    result.assert_outcomes(errors=1)
    assert errors(result) == [f"@pytest.mark.ocbulk on test_it.py::test_it: {text}"]


def test_strict_markers_know_the_marker(run: Run) -> None:
    module = "@pytest.mark.ocbulk(seed=1)\ndef test_it(ocbulk):\n    pass\n"
    run(module, "--strict-markers").assert_outcomes(passed=1)
    result = run.pytester.runpytest_inprocess("--markers", "-p", "pytest_ocbulk.plugin")
    result.stdout.fnmatch_lines(["@pytest.mark.ocbulk(connector='marketing', dialect='documented',*"])


# -- options, environment, ini file -----------------------------------------------------------------------


SHOWS = """
def test_it(ocbulk):
    print(f"<{ocbulk.connector} {ocbulk.dialect} {ocbulk.base_url}>")
"""


def shown(result: pytest.RunResult) -> str:
    result.assert_outcomes(passed=1)
    found = re.search(r"<(.*)>", str(result.stdout))
    return found[1] if found else ""


def test_without_any_setting_the_defaults_hold_and_the_header_is_silent(run: Run) -> None:
    result = run(SHOWS, "-s")
    assert shown(result) == (
        "marketing documented https://api.openconnectors.us2.ext.hana.ondemand.com/elements/api-v2"
    )
    assert "ocbulk: " not in str(result.stdout)


def test_the_ini_file_is_heard(run: Run) -> None:
    ini = "ocbulk_connector = sage200\nocbulk_dialect = live\nocbulk_base_url = https://gateway.test/oc/\n"
    result = run(SHOWS, "-s", ini=ini)
    assert shown(result) == "sage200 live https://gateway.test/oc"
    result.stdout.fnmatch_lines(
        [
            (
                "ocbulk: connector sage200 (ocbulk_connector in tox.ini), dialect live (ocbulk_dialect in tox.ini), "
                "base_url https://gateway.test/oc/ (ocbulk_base_url in tox.ini)"
            )
        ]
    )


def test_the_environment_wins_over_the_ini_file(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCBULK_CONNECTOR", "sqlserver")
    monkeypatch.setenv("OCBULK_BASE_URL", "https://other.test")
    result = run(SHOWS, "-s", ini="ocbulk_connector = sage200\nocbulk_base_url = https://gateway.test\n")
    assert shown(result) == "sqlserver documented https://other.test"


def test_the_command_line_wins_over_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCBULK_DIALECT", "documented")
    result = run(SHOWS, "-s", "--ocbulk-dialect=live")
    assert shown(result).split()[1] == "live"
    result.stdout.fnmatch_lines(["ocbulk: dialect live (--ocbulk-dialect)"])


def test_the_marker_wins_over_the_command_line(run: Run) -> None:
    result = run("@pytest.mark.ocbulk(dialect='documented')" + SHOWS, "-s", "--ocbulk-dialect=live")
    assert shown(result).split()[1] == "documented"


def test_a_connector_file_in_the_ini_file_is_found_from_the_root(run: Run) -> None:
    run.pytester.makefile(".toml", mine="key = 'mine'\nname = 'Mine'\nhub = 'crm'\n[objects.lead]\n")
    assert shown(run(SHOWS, "-s", ini="ocbulk_connector = mine.toml")).split()[0] == "mine"


@pytest.mark.parametrize(
    ("options", "ini", "text"),
    [
        (
            ["--ocbulk-dialect=documentd"],
            "",
            "--ocbulk-dialect: unknown dialect 'documentd'; did you mean 'documented'?",
        ),
        (
            [],
            "ocbulk_connector = sage",
            (
                "ocbulk_connector in tox.ini: unknown connector 'sage' (a file of your own ends in .toml); "
                "did you mean 'sage200'?"
            ),
        ),
        (
            [],
            "ocbulk_base_url = gateway.test",
            (
                "ocbulk_base_url in tox.ini: a base URL looks like "
                "https://api.openconnectors.us2.ext.hana.ondemand.com/elements/api-v2, got 'gateway.test'"
            ),
        ),
    ],
    ids=["dialect", "connector", "base_url"],
)
def test_a_wrong_setting_stops_the_session_before_any_test(
    run: Run, options: list[str], ini: str, text: str
) -> None:
    result = run(SHOWS, *options, ini=ini)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: {text}" in str(result.stderr).splitlines()


@pytest.mark.parametrize(
    ("variable", "value", "text"),
    [
        (
            "OCBULK_CONNECTOR",
            "marketing sage200",
            (
                "OCBULK_CONNECTOR: unknown connector 'marketing sage200' (a file of your own ends in .toml);"
                " did you mean 'marketing'? (ocbulk-server reads it too: it takes several, pytest takes one;"
                " ocbulk_connector in the ini file is pytest's own)"
            ),
        ),
        (
            "OCBULK_DIALECT",
            "lively",
            (
                "OCBULK_DIALECT: unknown dialect 'lively'; did you mean 'live'? (ocbulk-server reads it too: it takes"
                " documented or live, pytest takes both as well; --ocbulk-dialect is pytest's own)"
            ),
        ),
    ],
)
def test_a_variable_that_may_be_meant_for_the_server_matters_when_a_fake_is_made(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, text: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = run("""
        def test_without():
            pass

        @pytest.mark.ocbulk(connector="sage200", dialect="live")
        def test_marked(ocbulk):
            pass

        def test_it(ocbulk):
            pass
        """)
    result.assert_outcomes(passed=2, errors=1)
    assert errors(result) == [f"@pytest.mark.ocbulk on test_it.py::test_it: {text}"]


# -- dialects ---------------------------------------------------------------------------------------------


def test_both_dialects_run_each_test_that_uses_the_fake_twice(run: Run) -> None:
    result = run(
        """
        @pytest.fixture
        def mine(ocbulk):
            return ocbulk

        def test_direct(ocbulk):
            assert upload(ocbulk) == "1234"

        def test_by_a_fixture_of_ones_own(mine):
            print(mine.dialect)

        def test_without():
            pass

        @pytest.mark.ocbulk(dialect="live")
        def test_marked(ocbulk):
            assert ocbulk.dialect == "live"

        @pytest.mark.parametrize("number", [1, 2])
        def test_parametrized(ocbulk, number):
            pass
        """,
        "--ocbulk-dialect=both",
        "-v",
        "-p",
        "no:randomly",
    )
    result.assert_outcomes(passed=10)
    names = re.findall(r"::(\S+) PASSED", str(result.stdout))
    assert names == [
        "test_direct[documented]",
        "test_direct[live]",
        "test_by_a_fixture_of_ones_own[documented]",
        "test_by_a_fixture_of_ones_own[live]",
        "test_without",
        "test_marked",
        "test_parametrized[documented-1]",
        "test_parametrized[documented-2]",
        "test_parametrized[live-1]",
        "test_parametrized[live-2]",
    ]


def test_what_cannot_run_twice_is_not_run_once_without_a_word(run: Run) -> None:
    result = run(
        """
        import unittest

        def test_late(request):
            request.getfixturevalue("ocbulk")

        class TestMethods(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def fake(self, ocbulk):
                self.ocbulk = ocbulk

            def test_once(self):
                pass

            @pytest.mark.ocbulk(dialect="live")
            def test_chosen(self):
                assert self.ocbulk.dialect == "live"
        """,
        "--ocbulk-dialect=both",
        "-p",
        "no:randomly",
    )
    result.assert_outcomes(passed=1, failed=1, errors=1)
    text = (
        "dialect 'both' needs the fixture in the test's arguments; a TestCase method and getfixturevalue() run once:"
        " name the fixture there, or choose for this test, dialect='documented' or dialect='live'"
    )
    for name in ("test_late", "TestMethods::test_once"):
        assert f"@pytest.mark.ocbulk on test_it.py::{name}: {text}" in str(result.stdout)


def test_one_test_may_ask_for_both_dialects(run: Run) -> None:
    result = run("""
        seen = []

        @pytest.mark.ocbulk(dialect="both")
        def test_it(ocbulk_server):
            upload(ocbulk_server)
            ocbulk_server.jobs[0].finish()
            seen.append(ocbulk_server.jobs[0].status)

        def test_end():
            assert seen == ["COMPLETE", "COMPLETED"]
        """)
    result.assert_outcomes(passed=3)


# -- contacts ---------------------------------------------------------------------------------------------


CONTACTS = """
def test_one(ocbulk):
    print("<one", ocbulk.contacts(1).rows[0]["C_EmailAddress"], ocbulk.element_token, ">")

def test_two(ocbulk):
    print("<two", ocbulk.contacts(1).rows[0]["C_EmailAddress"], ocbulk.element_token, ">")
"""


def test_contacts_and_secrets_differ_between_tests_and_are_the_same_in_every_run(run: Run) -> None:
    first, second, varied = (
        re.findall(r"<(\w+) (\S+) (\S+) >", str(run(CONTACTS, "-s", "-p", "no:randomly", *options).stdout))
        for options in ([], [], ["--ocbulk-seed=7"])
    )
    assert first == second
    assert len({address for _, address, _ in [*first, *varied]}) == 4
    assert len({token for _, _, token in [*first, *varied]}) == 4


def test_a_marker_varies_the_seed(run: Run) -> None:
    plain = run(CONTACTS, "-s").stdout
    marked = run("pytestmark = pytest.mark.ocbulk(seed=3)\n" + CONTACTS, "-s").stdout
    assert re.findall("<one.*", str(plain)) != re.findall("<one.*", str(marked))


# -- the end of a test ------------------------------------------------------------------------------------


COMPLAINT = "ocbulk: the test passed, but not all that it prepared or began came to its end:"

LEFTOVERS = {
    "unfired_fault": (
        "from pytest_ocbulk import status; ocbulk.faults.on('status', status(503))",
        "fault status:503 never fired: no status call came for it",
    ),
    "unused_job": (
        "ocbulk.next_job('CREATED 2s COMPLETE')",
        "next_job('CREATED 2s COMPLETE') was not used: no job came",
    ),
    "unfinished_job": (
        "ocbulk.next_job('CREATED 2s RUNNING 10m COMPLETE'); upload(ocbulk); ocbulk.clock.advance('1m2s')",
        (
            "job 1234 has been RUNNING for 1m, its timeline is 'CREATED 2s RUNNING 10m COMPLETE': the code under test "
            "did not wait for its end, or the clock did not move: what sleeps moves it within "
            "`with ocbulk.clock.drives_sleep():`"
        ),
    ),
    "stray_call": (
        "for _ in range(2):\n        call(ocbulk, '/bulk/1234/state/x')",
        (
            "GET /elements/api-v2/bulk/1234/state/x is no call of the API (answered 404, 2 times); "
            "the nearest is GET /bulk/{id}/status"
        ),
    ),
    "undelivered_callback": (
        (
            "ocbulk.next_job('CREATED COMPLETE')\n    "
            "headers = {**ocbulk.headers, 'Elements-Async-Callback-Url': 'http://127.0.0.1:PORT/'}\n    "
            "requests.post(ocbulk.base_url + '/bulk/account', headers=headers, files={'file': b'name\\n'})\n    "
            "ocbulk.jobs[0].finish()"
        ),
        (
            "callback of job 1234 to http://127.0.0.1:PORT/: could not connect: Connection refused; "
            "the next try would be in 4s"
        ),
    ),
}


@pytest.mark.parametrize("sort", LEFTOVERS)
def test_what_a_passing_test_leaves_behind_is_an_error_with_the_line_that_allows_it(
    run: Run, sort: str
) -> None:
    with closed_port() as port:
        body, text = (each.replace("PORT", str(port)) for each in LEFTOVERS[sort])
        result = run(f"def test_it(ocbulk):\n    {body}\n")
    result.assert_outcomes(passed=1, errors=1)
    complaint = [line for line in errors(result) if not line.startswith(("---", "WARNING"))]
    assert complaint == [COMPLAINT, f"- {text}", f"  if that is meant: @pytest.mark.ocbulk(allow={sort!r})"]


@pytest.mark.parametrize("sort", LEFTOVERS)
def test_it_is_no_error_when_the_marker_allows_it(run: Run, sort: str) -> None:
    body, _ = LEFTOVERS[sort]
    result = run(f"@pytest.mark.ocbulk(allow={sort!r})\ndef test_it(ocbulk):\n    {body}\n")
    result.assert_outcomes(passed=1)


def test_several_things_can_be_allowed(run: Run) -> None:
    result = run("""
        @pytest.mark.ocbulk(allow=("unused_job", "unfired_fault"))
        def test_it(ocbulk, make_ocbulk):
            from pytest_ocbulk import status
            ocbulk.next_job()
            make_ocbulk().faults.on("status", status(503))
        """)
    result.assert_outcomes(passed=1)


def test_a_call_outside_of_the_api_is_noted_through_either_door(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("CI", "BUILD_NUMBER"):  # there pytest's summary repeats whole messages
        monkeypatch.delenv(variable, raising=False)
    result = run("""
        def test_in_process(ocbulk):
            requests.post(ocbulk.base_url.replace("v2", "v1") + "/bulk/contact", headers=ocbulk.headers)

        def test_served(ocbulk_server):
            requests.post(ocbulk_server.base_url.replace("v2", "v1") + "/bulk/contact")

        def test_clean(ocbulk_server):
            pass
        """)
    result.assert_outcomes(passed=3, errors=2)
    text = (
        "- POST /elements/api-v1/bulk/contact is no call of the API (answered 404); "
        "calls go to paths below /elements/api-v2, which belongs to the base URL"
    )
    assert str(result.stdout).count(text) == 2, str(result.stdout)


def test_a_job_that_was_never_to_end_is_no_leftover(run: Run) -> None:
    result = run("""
        def test_it(ocbulk):
            ocbulk.next_job("CREATED 2s RUNNING forever")
            upload(ocbulk)

        def test_default(ocbulk):
            upload(ocbulk)
        """)
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("assert False", {"failed": 1}),
        ("pytest.skip('later')", {"skipped": 1}),
        ("pytest.xfail('known')", {"xfailed": 1}),
    ],
)
def test_a_test_that_did_not_pass_gets_no_second_error(run: Run, body: str, outcome: dict[str, int]) -> None:
    result = run(f"def test_it(ocbulk):\n    ocbulk.next_job()\n    {body}\n")
    result.assert_outcomes(**outcome)
    assert ("Captured ocbulk call" in str(result.stdout)) == ("failed" in outcome)


SUBTESTS = {
    "the fixture": """
        def test_it(ocbulk, subtests):
            ocbulk.next_job()
            for number in range(3):
                with subtests.test(number=number):
                    assert number != 1
        """,
    "TestCase.subTest": """
        import unittest

        class TestIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def fake(self, ocbulk):
                self.ocbulk = ocbulk

            def test_it(self):
                self.ocbulk.next_job()
                for number in range(3):
                    with self.subTest(number=number):
                        assert number != 1
        """,
}


@pytest.mark.skipif(not hasattr(pytest, "Subtests"), reason="pytest has subtests from version 9 on")
@pytest.mark.parametrize("module", SUBTESTS.values(), ids=SUBTESTS)
def test_a_failed_subtest_gets_no_second_error_but_a_story(run: Run, module: str) -> None:
    result = run(module)
    text = str(result.stdout)
    assert (result.ret, result.parseoutcomes().get("errors", 0)) == (pytest.ExitCode.TESTS_FAILED, 0), text
    assert "came to its end" not in text
    assert "Captured ocbulk call" in text


@pytest.mark.skipif(not hasattr(pytest, "Subtests"), reason="pytest has subtests from version 9 on")
def test_subtests_that_pass_are_a_test_that_passed_and_warnings_are_told_once(run: Run) -> None:
    result = run("""
        def test_it(ocbulk, subtests):
            for _ in range(3):
                with subtests.test():
                    upload(ocbulk)
            ocbulk.next_job()
        """)
    assert errors(result)[:3] == [
        COMPLAINT,
        "- next_job('CREATED COMPLETE') was not used: no job came",
        "  if that is meant: @pytest.mark.ocbulk(allow='unused_job')",
    ]
    told = [line for line in result.outlines if line.startswith("test_it.py::test_it: contact: ")]
    assert len(told) == len(set(told)) == 2


def test_the_story_tells_what_a_base_url_lacks(run: Run) -> None:
    result = run("""
        def test_it(ocbulk):
            base = ocbulk.base_url.removesuffix("/elements/api-v2")
            requests.post(base + "/hubs/marketing/bulk/contact", headers=ocbulk.headers).raise_for_status()
        """)
    assert (
        "answered 404: POST /hubs/marketing/bulk/contact; calls go to paths below /elements/api-v2, which belongs to"
        " the base URL"
    ) in result.outlines


MOCKS = {
    "active": """
        @pytest.fixture
        def mock():
            with responses.RequestsMock() as mock:
                yield mock

        def test_it(FAKE, mock):
            try:
                upload(FAKE)
            except requests.ConnectionError:
                pass
            assert False
        """,
    "over": """
        @responses.activate
        def test_it(FAKE):
            try:
                upload(FAKE)
            except requests.ConnectionError as error:
                raise RuntimeError("could not push") from error
        """,
    "elsewhere": """
        @responses.activate
        def test_it(FAKE):
            requests.get("https://elsewhere.test/")
        """,
    "with the fake in it": """
        @pytest.fixture
        def mock(FAKE):
            with responses.RequestsMock() as mock:
                FAKE.install_into(mock)
                yield mock

        def test_it(FAKE, mock):
            upload(FAKE)
            assert False
        """,
}


@pytest.mark.parametrize("fake", ["ocbulk", "ocbulk_server"])
@pytest.mark.parametrize("mock", MOCKS)
def test_the_story_tells_that_a_mock_hides_the_fake(run: Run, mock: str, fake: str) -> None:
    result = run("import responses\n" + dedent(MOCKS[mock]).replace("FAKE", fake))
    result.assert_outcomes(failed=1)
    hint = (
        "a mock of the library responses hides the fake; put the fake into it, ocbulk.install_into(responses.mock), or"
        " let its calls through, responses.add_passthru(ocbulk_server.base_url)"
    )
    assert (hint in result.outlines) == (mock in ("active", "over")), str(result.stdout)


def test_a_failed_setup_gets_no_second_error_but_a_story(run: Run) -> None:
    result = run("""
        @pytest.fixture
        def mine(ocbulk):
            ocbulk.next_job()
            raise RuntimeError("not ready")

        def test_it(mine):
            pass
        """)
    result.assert_outcomes(errors=1)
    assert "Captured ocbulk setup" in str(result.stdout)
    assert "came to its end" not in str(result.stdout)


@pytest.mark.parametrize("broken", ["story", "leftovers", "OcBulk.warnings"])
def test_what_goes_wrong_in_telling_about_a_test_does_not_cost_the_session(run: Run, broken: str) -> None:
    result = run(f"""
        from _pytest.monkeypatch import MonkeyPatch
        from pytest_ocbulk import fakes

        def fails(*_):
            raise TypeError("no words")

        @pytest.fixture(autouse=True)
        def broken():
            with MonkeyPatch.context() as patch:
                patch.setattr("pytest_ocbulk.fakes.{broken}", fails)
                yield

        def test_passed(ocbulk):
            pass

        def test_failed(ocbulk):
            assert False
        """)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1, failed=1, errors=1 if broken == "leftovers" else 0)
    assert (
        "pytest-ocbulk could not tell what happened in the fake: TypeError: no words; "
        "that is a mistake of pytest-ocbulk, please report it"
    ) in str(result.stdout)


def test_a_wrong_plan_and_a_failed_test_are_two_things(run: Run) -> None:
    result = run("""
        from pytest_ocbulk import OcBulkError

        @pytest.mark.parametrize("wrong", ["next_job(5)", "clock.advance(float('nan'))", "clock.advance(float('inf'))"])
        def test_it(ocbulk, wrong):
            with pytest.raises(OcBulkError):
                eval("ocbulk." + wrong)
            upload(ocbulk)
            assert 0
        """)
    result.assert_outcomes(failed=3)


def test_a_test_that_is_run_again_starts_afresh(run: Run) -> None:
    run.pytester.makeconftest("""
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            for _ in range(2):
                for report in runtestprotocol(item, nextitem=nextitem, log=False):
                    item.ihook.pytest_runtest_logreport(report=report)
            return True
        """)
    result = run("""
        def test_it(ocbulk, ocbulk_server):
            assert upload(ocbulk) == upload(ocbulk_server) == "1234"
        """)
    result.assert_outcomes(passed=2)


def test_a_story_tells_whoever_waits_in_vain_how_time_is_moved(run: Run) -> None:
    result = run("""
        def poll(ocbulk, times):
            ocbulk.next_job("CREATED 2s RUNNING 10m COMPLETE")
            job = upload(ocbulk)
            for _ in range(times):
                call(ocbulk, f"/bulk/{job}/status")

        def test_in_vain(ocbulk):
            poll(ocbulk, 3)
            assert False

        def test_looked_about(ocbulk):
            poll(ocbulk, 2)
            assert False

        def test_time_passed(ocbulk):
            poll(ocbulk, 3)
            ocbulk.clock.advance("1s")
            assert False
        """)
    told = [line for line in result.outlines if "stood still" in line]
    assert told == [
        (
            "  polled 3 times while the clock stood still, 2s before the next status: run code that sleeps in"
            " `with ocbulk.clock.drives_sleep():`, or call `ocbulk.clock.advance('2s')`"
        )
    ]


def test_the_story_of_a_failed_test(run: Run) -> None:
    result = run("""
        from pytest_ocbulk import status

        def test_it(ocbulk):
            ocbulk.next_job("CREATED 2s RUNNING x1 COMPLETE", fail_rows={1: "bad"})
            ocbulk.faults.on("status", status(503))
            ocbulk.faults.on("errors", status(500))
            upload(ocbulk)
            call(ocbulk, "/bulk/1234/status")
            ocbulk.clock.advance("2s")
            call(ocbulk, "/bulk/1234/status")
            call(ocbulk, "/bulk/1234/status")
            for _ in range(3):
                call(ocbulk, "/objects")
            requests.get(ocbulk.base_url + "/objects", headers={"Authorization": "Element x, User y"})
            assert False
        """)
    text = str(result.stdout)
    story = text[text.index("Captured ocbulk call") :].split("\n", 1)[1].split("\n====", maxsplit=1)[0]
    story = re.sub(r'"requestId": "\w+"', '"requestId": "..."', story)
    assert story.splitlines() == [
        "marketing (documented): 1 job, 7 calls, clock at +2s",
        (
            "job 1234  UPLOAD contact  CREATED +0s | RUNNING +2s | COMPLETE +2s  planned 'CREATED 2s RUNNING x1 "
            "COMPLETE'  1 row, 1 failed  polls +0s +2s +2s  faults status:503 +0s"
        ),
        "planned: errors:500 never fired: no errors call came for it",
        "last 5 of 7 calls:",
        "  +2s  GET /elements/api-v2/bulk/1234/status -> 200",
        "      accept: */*",
        "      authorization: ***",
        (
            '    < {"id": "1234", "instanceId": 425904, "status": "RUNNING", "object_name": "contact", '
            '"job_direction": "UPLOAD", "fileF...'
        ),
        "  +2s  GET /elements/api-v2/bulk/1234/status -> 200",
        "      accept: */*",
        "      authorization: ***",
        (
            '    < {"id": "1234", "instanceId": 425904, "status": "COMPLETE", "object_name": "contact", '
            '"job_direction": "UPLOAD", "file...'
        ),
        *(
            [
                "  +2s  GET /elements/api-v2/objects -> 200",
                "      accept: */*",
                "      authorization: ***",
                '    < ["activities", "contact", "campaign", "list", "account"]',
            ]
            * 3
        ),
        "",
        (
            "answered 401: GET /elements/api-v2/objects; each test has secrets of its own, from ocbulk.env() or"
            " ocbulk.headers"
        ),
    ]


def test_no_secret_is_in_the_story(run: Run) -> None:
    result = run("""
        def test_it(ocbulk):
            upload(ocbulk)
            print("<", ocbulk.element_token, ocbulk.user_secret, ocbulk.organization_secret, ">")
            assert False
        """)
    text = str(result.stdout)
    secrets = re.findall(r"< (\w+) (\w+) (\w+) >", text)[0]
    story = text[text.index("Captured ocbulk call") :].split("Captured stdout", maxsplit=1)[0]
    assert len(secrets) == 3
    assert not [secret for secret in secrets if secret in story]


def test_what_the_client_certainly_did_wrong_is_listed_at_the_end(run: Run) -> None:
    result = run("""
        def test_it(ocbulk):
            for _ in range(2):
                upload(ocbulk, b"name\\na\\n", "account")
                call(ocbulk, f"/bulk/{ocbulk.jobs[-1].id}/status")

        @pytest.mark.ocbulk(allow="client_warning")
        def test_allowed(ocbulk):
            for _ in range(2):
                upload(ocbulk)

        def test_another(ocbulk):
            upload(ocbulk)
        """)
    result.assert_outcomes(passed=3)
    lines = str(result.stdout).splitlines()
    heading = next(
        at for at, line in enumerate(lines) if "ocbulk: what the code under test did wrong" in line
    )
    assert lines[heading + 1].startswith("test_it.py::test_it: account: row 1 uploaded twice")
    assert lines[heading + 2] == "if that is meant: @pytest.mark.ocbulk(allow='client_warning')"


# -- other ways of writing tests --------------------------------------------------------------------------


def test_unittest_classes_can_use_the_fixture(run: Run) -> None:
    result = run("""
        import unittest

        class TestIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def take(self, ocbulk):
                self.ocbulk = ocbulk

            def test_it(self):
                assert upload(self.ocbulk) == "1234"
        """)
    result.assert_outcomes(passed=1)


def test_threads_inside_a_test_reach_the_fake(run: Run) -> None:
    result = run("""
        from concurrent.futures import ThreadPoolExecutor

        @pytest.mark.parametrize("name", ["ocbulk", "ocbulk_server"])
        def test_it(request, name):
            fake = request.getfixturevalue(name)
            with ThreadPoolExecutor(8) as pool:
                ids = set(pool.map(lambda _: upload(fake, object="account"), range(24)))
            assert ids == {str(number) for number in range(1234, 1258)}
        """)
    result.assert_outcomes(passed=2)


def test_a_users_own_mock_around_the_test_wins_and_is_left_alone(run: Run) -> None:
    result = run("""
        import responses

        @responses.activate
        def test_activate(ocbulk):
            responses.get("https://elsewhere.test/", json=1)
            assert requests.get("https://elsewhere.test/").json() == 1
            ocbulk.install_into(responses.mock)
            assert upload(ocbulk) == "1234"

        @pytest.fixture
        def mocked():
            with responses.RequestsMock() as mock:
                mock.get("https://elsewhere.test/", json=2)
                yield mock

        def test_outer(mocked, ocbulk):
            assert requests.get("https://elsewhere.test/").json() == 2
            assert upload(ocbulk) == "1234"

        def test_inner(ocbulk, mocked):
            with pytest.raises(requests.ConnectionError, match="Connection refused by Responses"):
                upload(ocbulk)
            assert requests.get("https://elsewhere.test/").json() == 2
        """)
    result.assert_outcomes(passed=3)


def test_a_fault_that_needs_a_socket_is_refused_in_process(run: Run) -> None:
    result = run("""
        from pytest_ocbulk import OcBulkError, reset

        def test_it(ocbulk, ocbulk_server):
            with pytest.raises(OcBulkError) as refused:
                ocbulk.faults.on("upload", reset(), phase="after")
            assert str(refused.value) == (
                "reset() needs a socket: use the ocbulk_server fixture (in this process no connection can break)"
            )
            ocbulk_server.faults.on("upload", reset(), phase="after")
            with pytest.raises(requests.ConnectionError):
                upload(ocbulk_server)
        """)
    result.assert_outcomes(passed=1)
