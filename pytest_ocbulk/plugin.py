"""The pytest plugin: fixtures, marker and options. It imports pytest and typing only, all else inside its fixtures.

Nothing happens before a fixture is asked for, and a session that asks for none pays for a few look-ups only. What
a setting means is said in `settings.py`, what the fixtures give in `fakes.py`; here is what pytest has to know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_ocbulk.client import BulkClient
    from pytest_ocbulk.doors import ServerDoor
    from pytest_ocbulk.fakes import Fakes, MakeOcBulk
    from pytest_ocbulk.handle import OcBulk
    from pytest_ocbulk.receiver import Receiver

pytest.register_assert_rewrite("pytest_ocbulk.assertions")

MARKER = (
    "ocbulk(connector='marketing', dialect='documented', job='CREATED COMPLETE', quirks={}, seed=None, allow=()): "
    "what the fake of this test starts with (pytest-ocbulk)"
)
OPTIONS = {
    "dialect": "how the fake words things: documented, live, or both, which runs each test that uses it twice",
    "seed": "vary the contacts that tests make; without it they follow from the tests' ids alone",
}
INI = {
    "dialect": OPTIONS["dialect"],
    "connector": "the connector of the fake: marketing, sage200, sqlserver, or a TOML file of your own",
    "base_url": "the address at which the code under test expects the service; SAP's and Cloud Elements' always work",
}

WARNINGS = "ocbulk warnings"
"""The title of the report section that a test has whose client certainly did something wrong."""

SHARED = {
    "OCBULK_CONNECTOR": "it takes several, pytest takes one; ocbulk_connector in the ini file is pytest's own",
    "OCBULK_DIALECT": "it takes documented or live, pytest takes both as well; --ocbulk-dialect is pytest's own",
}
"""The environment variables that mean something to the standalone server, too, and what."""

FIXTURES = frozenset({"ocbulk", "ocbulk_server", "ocbulk_client", "make_ocbulk"})
DIALECT_PARAMETER = "ocbulk_dialect"

_fakes_key = pytest.StashKey["Fakes"]()
_given_key = pytest.StashKey[dict[str, tuple[str, str]]]()
"""What was set outside of markers: by name the value and where it stands."""


# -- settings ---------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini values."""
    from pytest_ocbulk.contract import options

    group = parser.getgroup("ocbulk", "fake SAP Open Connectors (pytest-ocbulk)")
    options.add_options(group)
    for name, text in OPTIONS.items():
        group.addoption(f"--ocbulk-{name}", dest=f"ocbulk_{name}", metavar=name.upper(), help=text)
    for name, text in INI.items():
        parser.addini(f"ocbulk_{name}", text, default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers; refuse a wrong option before any test runs."""
    from pytest_ocbulk.contract import options

    config.addinivalue_line("markers", MARKER)
    options.configure(config)
    config.stash[_given_key] = given = _read(config)
    for name, (value, place) in given.items():
        if place in SHARED:  # it may be meant for ocbulk-server alone: it is checked when a fake is made
            continue
        from pytest_ocbulk.emulator.errors import OcBulkError
        from pytest_ocbulk.settings import checked

        try:
            given[name] = checked(name, value, config.rootpath), place
        except OcBulkError as error:
            raise pytest.UsageError(f"{place}: {error}") from None


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what was set, and where; nothing if nothing was."""
    given = _read(config)
    if not given:
        return None
    return "ocbulk: " + ", ".join(f"{name} {value} ({place})" for name, (value, place) in given.items())


def _read(config: pytest.Config) -> dict[str, tuple[str, str]]:
    """What was set outside of markers: the value and where it stands, the strongest place first."""
    from os import environ

    found: dict[str, tuple[str, str]] = {}
    for name in ("connector", "dialect", "seed", "base_url"):
        variable = f"OCBULK_{name.upper()}"
        if (value := config.getoption(f"ocbulk_{name}", None)) is not None:
            found[name] = value, f"--ocbulk-{name}"
        elif environ.get(variable):
            found[name] = environ[variable], variable
        elif name in INI and (value := config.getini(f"ocbulk_{name}")):
            found[name] = (
                value,
                f"ocbulk_{name} in {config.inipath.name if config.inipath else 'the ini file'}",
            )
    return found


def _marked(item: pytest.Item) -> dict[str, Any]:
    """What the markers of a test say, the nearest one first."""
    values: dict[str, Any] = {}
    for mark in item.iter_markers("ocbulk"):
        if mark.args:
            _refuse(item, f"takes keywords only, got {mark.args[0]!r}")
        values = {**mark.kwargs, **values}
    return values


def _refuse(item: pytest.Item, reason: str) -> NoReturn:
    pytest.fail(f"@pytest.mark.ocbulk on {item.nodeid}: {reason}", pytrace=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses the fake in both dialects, when asked to."""
    if in_both_dialects(metafunc) and DIALECT_PARAMETER not in metafunc.fixturenames:
        # No fixture has this name: the fakes look for it in the test's parameters.
        metafunc.fixturenames.append(DIALECT_PARAMETER)
        metafunc.parametrize(DIALECT_PARAMETER, ("documented", "live"))


def in_both_dialects(metafunc: pytest.Metafunc) -> bool:
    """Whether a test uses the fake and is to run in both dialects."""
    if FIXTURES.isdisjoint(metafunc.fixturenames):
        return False
    marks = metafunc.definition.iter_markers("ocbulk")
    marked = next((mark.kwargs["dialect"] for mark in marks if "dialect" in mark.kwargs), None)
    return (marked or metafunc.config.stash[_given_key].get("dialect", ("", ""))[0]) == "both"


# -- the life of a test's fakes ---------------------------------------------------------------------------


def _fakes(request: pytest.FixtureRequest) -> Fakes:
    """The fakes of the test that asks, which live until its first fixture of ours is torn down."""
    item: pytest.Item = request.node
    found = item.stash.get(_fakes_key, None)
    if found is None:
        from pytest_ocbulk.contract.options import is_contract_test
        from pytest_ocbulk.fakes import Fakes

        is_contract_test(item)  # a wrong mark is refused, whether there is a target or not
        found = item.stash[_fakes_key] = Fakes(
            item.nodeid,
            _values(item),
            lambda: item.path.parent,
            lambda: _directory(request),
            lambda: _server_door(request),
        )
        request.addfinalizer(lambda: _close(item))
    return found


def _values(item: pytest.Item) -> dict[str, Any]:
    given, marked = item.config.stash[_given_key], _marked(item)
    values: dict[str, Any] = {name: value for name, (value, _) in given.items()} | marked
    for name, (value, place) in given.items():
        if place in SHARED and name not in marked:
            values[name] = _of_a_variable(item, name, value, place)
    callspec = getattr(item, "callspec", None)
    if values.get("dialect") == "both":
        if callspec is None or DIALECT_PARAMETER not in callspec.params:
            _refuse(
                item,
                "dialect 'both' needs the fixture in the test's arguments; a TestCase method and getfixturevalue() run"
                " once: name the fixture there, or choose for this test, dialect='documented' or dialect='live'",
            )
        values["dialect"] = callspec.params[DIALECT_PARAMETER]
    return values


def _of_a_variable(item: pytest.Item, name: str, value: str, variable: str) -> str:
    """The value of an environment variable that the standalone server reads, too."""
    from pytest_ocbulk.emulator.errors import OcBulkError
    from pytest_ocbulk.settings import checked

    try:
        return checked(name, value, item.config.rootpath)
    except OcBulkError as error:
        reason = f"{variable}: {error} (ocbulk-server reads it too: {SHARED[variable]})"
    _refuse(item, reason)


def _directory(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue("tmp_path")
    return path


def _server_door(request: pytest.FixtureRequest) -> ServerDoor:
    door: ServerDoor = request.getfixturevalue("_ocbulk_server_door")
    return door


def _close(item: pytest.Item) -> None:
    fakes = item.stash[_fakes_key]
    del item.stash[_fakes_key]  # a plugin that runs a test again runs it with this very item
    complaint = fakes.close()
    if complaint and fakes.passed:
        pytest.fail(complaint, pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Note whether a test passed, and tell the story of its fakes if it failed; called for each subtest as well."""
    fakes = item.stash.get(_fakes_key, None)
    if fakes is None or call.when == "teardown":
        return
    if call.when == "call" and (warnings := fakes.warnings()):
        item.add_report_section("call", WARNINGS, warnings)
    if call.excinfo is None:
        fakes.passed = call.when == "call" and not fakes.failed
    elif not call.excinfo.errisinstance((pytest.skip.Exception, pytest.xfail.Exception)):
        fakes.passed, fakes.failed = False, True
        item.add_report_section(call.when, "ocbulk", fakes.story(call.excinfo.value))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what the code under test certainly did wrong, also in tests that passed."""
    found = {  # each line once: the reports of subtests repeat those of the subtests before them
        f"{report.nodeid}: {line}": None
        for reports in terminalreporter.stats.values()
        for report in reports
        for title, content in getattr(report, "sections", ())
        if WARNINGS in title and getattr(report, "when", "") == "call"
        for line in content.splitlines()
    }
    if found:
        terminalreporter.section("ocbulk: what the code under test did wrong", sep="=", yellow=True)
        for line in found:
            terminalreporter.line(line)
        terminalreporter.line("if that is meant: @pytest.mark.ocbulk(allow='client_warning')")


# -- fixtures ---------------------------------------------------------------------------------------------


@pytest.fixture
def ocbulk(request: pytest.FixtureRequest) -> OcBulk:
    """A fake Open Connectors instance in this process: calls made through `requests` reach it."""
    return _main(request, served=False)


@pytest.fixture
def ocbulk_server(request: pytest.FixtureRequest) -> OcBulk:
    """A fresh fake instance on a real port of this machine, with real resets, truncations and retries."""
    return _main(request, served=True)


@pytest.fixture
def make_ocbulk(request: pytest.FixtureRequest) -> MakeOcBulk:
    """A function that makes fakes: several instances, connectors and dialects in one test."""
    from pytest_ocbulk.fakes import MakeOcBulk

    return MakeOcBulk(_fakes(request))


@pytest.fixture
def ocbulk_client(request: pytest.FixtureRequest) -> Iterator[BulkClient]:
    """A `BulkClient` of the test's fake: of `ocbulk_server` if only that is used, else of `ocbulk`."""
    names = request.fixturenames
    with _main(request, served="ocbulk_server" in names and "ocbulk" not in names).client() as client:
        yield client


@pytest.fixture
def ocbulk_receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    """A webhook receiver on a free port of this machine: give its `url` as `Elements-Async-Callback-Url`."""
    from pytest_ocbulk.receiver import Receiver

    fakes = _fakes(request)
    with Receiver(hurry=fakes.deliver) as receiver:
        yield receiver
        fakes.deliver()  # what is still to come shall find it


@pytest.fixture(scope="session")
def _ocbulk_server_door() -> Iterator[ServerDoor]:
    from pytest_ocbulk.doors import ServerDoor

    door = ServerDoor()
    yield door
    door.close()


def _main(request: pytest.FixtureRequest, *, served: bool) -> OcBulk:
    fakes = _fakes(request)
    from pytest_ocbulk.emulator.errors import OcBulkError

    try:
        return fakes.main(served=served)
    except OcBulkError as error:
        reason = str(error)
    _refuse(request.node, reason)
