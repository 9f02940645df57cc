"""How much was fuzzed, told at the end of a run."""

from __future__ import annotations

from collections import Counter

import pytest

from ..figures import write
from .trying import LONG, TRIED

_CALLS = pytest.StashKey[Counter[str]]()


@pytest.fixture(scope="session")
def calls(request: pytest.FixtureRequest) -> Counter[str]:
    """Calls by operation."""
    return request.config.stash.setdefault(_CALLS, Counter[str]())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line of figures; with xdist the workers keep theirs to themselves."""
    if counted := config.stash.get(_CALLS, None):
        terminalreporter.write_line(f"Schemathesis: {len(counted)} operations, {counted.total()} calls")
    if TRIED:
        told = ", ".join(f"{number:,} {what}" for what, number in sorted(TRIED.items()))
        terminalreporter.write_line(f"Inputs tried: {told}")
    if TRIED and LONG:
        failures = len(terminalreporter.stats.get("failed", ())) + len(
            terminalreporter.stats.get("error", ())
        )
        calls = {"calls by Schemathesis": counted.total()} if counted else {}
        write(
            "fuzz",
            {
                **{what: f"{number:,}" for what, number in sorted({**TRIED, **calls}.items())},
                "failures": str(failures),
            },
        )
