"""Tests marked `ocbulk_contract`: each runs at the fake, and with the same body at the service of `--ocbulk-target`.

Registered only when that option is given, so that nobody else pays for the hooks.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from pytest_ocbulk.client import BulkClient, BulkClientError
from pytest_ocbulk.plugin import DIALECT_PARAMETER, in_both_dialects

from .options import MARK, is_contract_test

PARAMETER = "ocbulk_at"
FAKE, TARGET = "fake", "target"
ONLY_A_FAKE = frozenset({"ocbulk", "ocbulk_server", "make_ocbulk", "ocbulk_receiver"})
"""Fixtures that give what only a fake has: its clock, its faults, its plans, its records."""


class MarkedTests:
    """The hooks. `url` is the base URL of the real service."""

    def __init__(self, config: pytest.Config) -> None:
        self.url: str = config.getoption("ocbulk_target")
        self.readonly: bool = config.getoption("ocbulk_readonly")

    def pytest_report_header(self) -> str:
        """Say where the tests go: it is somebody's account."""
        return f"ocbulk: target {self.url}{', read only (--ocbulk-readonly)' if self.readonly else ''}"

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each marked test at the fake, in both dialects if it is to, and once at the service."""
        if metafunc.definition.get_closest_marker(MARK) is None:
            return
        # No fixture has these names: the hook below, and the fakes, look for them in the test's parameters.
        if in_both_dialects(metafunc):
            metafunc.fixturenames += [PARAMETER, DIALECT_PARAMETER]
            metafunc.parametrize(
                (PARAMETER, DIALECT_PARAMETER),
                [(FAKE, "documented"), (FAKE, "live"), (TARGET, "")],
                ids=[f"{FAKE}-documented", f"{FAKE}-live", TARGET],
            )
        else:
            metafunc.fixturenames.append(PARAMETER)
            metafunc.parametrize(PARAMETER, (FAKE, TARGET))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Refuse a marked test that would talk to the fake while it is said to run at the service."""
        if not is_contract_test(item):
            return
        if not hasattr(item, "callspec"):
            pytest.fail(
                f"a test marked {MARK} runs at {self.url} as well as at the fake, but only a function that has"
                " ocbulk_client among its arguments can be run twice; a TestCase method has none: write it as a"
                " function",
                pytrace=False,
            )
        if not _is_at_target(item):
            return
        names = set(getattr(item, "fixturenames", ()))
        if found := sorted(names & ONLY_A_FAKE):
            pytest.fail(only_a_fake(found[0], self.url), pytrace=False)
        if "ocbulk_client" not in names:
            pytest.fail(
                f"a test marked {MARK} talks to {self.url} through the fixture ocbulk_client; this one does not use it",
                pytrace=False,
            )

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> BulkClient | None:
        """Give `ocbulk_client` of the service in place of the fake's; refuse what only a fake has."""
        if not _is_at_target(request.node):
            return None
        name, key = fixturedef.argname, fixturedef.cache_key(request)  # type: ignore[arg-type]  # it is a SubRequest
        if name != "ocbulk_client" and name not in ONLY_A_FAKE:
            return None
        session = _ReadingSession(self.url) if self.readonly else requests.Session()
        fixturedef.addfinalizer(session.close)
        try:
            client = self._client(name, session)
        except pytest.fail.Exception as failure:
            fixturedef.cached_result = (None, key, (failure, None))
            raise
        fixturedef.cached_result = (client, key, None)
        return client

    def _client(self, fixture: str, session: requests.Session) -> BulkClient:
        """The client of the service; what only a fake has can be asked for by `getfixturevalue` too."""
        complaint = only_a_fake(fixture, self.url)
        if fixture == "ocbulk_client":
            try:
                return BulkClient.from_environment(base_url=self.url, session=session)
            except BulkClientError as error:
                complaint = f"--ocbulk-target {self.url}: {error}"
        pytest.fail(complaint, pytrace=False)


class _ReadingSession(requests.Session):
    """A session for `--ocbulk-readonly`: a call that could change something ends the test before it is made."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a GET, refuse everything else."""
        if request.method != "GET":
            pytest.fail(
                f"{request.method} {request.url} was not sent: with --ocbulk-readonly a test marked {MARK} makes no"
                f" call but GET at {self._url}; run it without --ocbulk-readonly, or without the mark",
                pytrace=False,
            )
        return super().send(request, **options)


def only_a_fake(fixture: str, url: str) -> str:
    """Why a fixture cannot be had at a real service, and what to do."""
    return (
        f"the fixture {fixture!r} has the clock, the faults and the plans of a fake, which {url} does not have; "
        f"a test marked {MARK} uses ocbulk_client only. Take the mark off, or put what needs {fixture!r} into a test "
        "of its own"
    )


def _is_at_target(node: Any) -> bool:
    call = getattr(node, "callspec", None)
    return call is not None and call.params.get(PARAMETER) == TARGET
