"""`ocbulk-server --quirk NAME=VALUE` is checked before the server starts."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from fake_server.cli import main


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        (
            "visibility_lag=inf",
            "quirk visibility_lag: a duration is a number of seconds up to 36525d, got inf",
        ),
        ("callback_lag=-1", "quirk callback_lag: a duration cannot be negative, got -1.0"),
        ("retention_days=-1", "quirk retention_days is a whole number from 0 to 36525, got -1"),
    ],
)
def test_a_quirk_out_of_range_is_refused_at_the_start(pair: str, said: str) -> None:
    ended = CliRunner().invoke(main, ["--port", "0", "--quirk", pair])
    assert (ended.exit_code, ended.output) == (1, f"Error: {said}\n")
