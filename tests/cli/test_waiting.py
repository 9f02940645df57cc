"""Waiting for a job from the command line: what its options may be."""

from __future__ import annotations

import pytest

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
