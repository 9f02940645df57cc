"""Values of options that could never work are refused before the server starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from fake_server.cli import main
from pytest_ocbulk.client import BulkClient, ConfigurationError
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import OcBulkError

UNFIT = "has a character that cannot stand in the header (a line break, a comma?)"
BLANK = "begins or ends with a blank, which is not sent"


def refusal(*arguments: str, code: int = 1) -> str:
    ended = CliRunner().invoke(main, ["--port", "0", *arguments])
    assert ended.exit_code == code
    return ended.output


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
def test_a_quirk_out_of_range_is_refused(pair: str, said: str) -> None:
    assert refusal("--quirk", pair) == f"Error: {said}\n"


@pytest.mark.parametrize(
    ("secret", "said"),
    [("a,b", UNFIT), ("x, y", UNFIT), ("é", UNFIT), ("a\tb", UNFIT), (" x ", BLANK), ("x\n", UNFIT)],
)
@pytest.mark.parametrize(
    "option", ["--element-token", "--user-secret", "--organization-secret", "--control-token"]
)
def test_a_secret_that_nobody_could_send_is_refused(option: str, secret: str, said: str) -> None:
    assert refusal(option, secret) == f"Error: {option} {said}; choose another\n"


def test_the_client_refuses_the_same_secrets_in_the_same_words() -> None:
    for secret in ("a,b", "x, y", "é"):
        with pytest.raises(ConfigurationError) as refused:
            BulkClient("http://localhost", element_token=secret, user_secret="x")
        assert str(refused.value).startswith(f"element_token {UNFIT}; ")


def test_a_secret_with_a_blank_in_it_can_be_sent() -> None:
    emulator = Emulator()
    instance = emulator.create_instance(built_in("marketing"), token="a b", user_secret="c  d")
    assert emulator.instances.authenticate("Element a b, User c  d") is instance


@pytest.mark.parametrize("name", ["token", "user_secret", "organization_secret"])
def test_an_instance_is_not_made_with_such_a_secret(name: str) -> None:
    with pytest.raises(OcBulkError) as refused:
        Emulator().create_instance(built_in("marketing"), **{name: "a,b"})  # type: ignore[arg-type]
    assert str(refused.value) == f"{name} {UNFIT}; choose another"


def test_a_connector_whose_key_is_no_token_needs_one(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('key = "a b,c"\nname = "Own"\nhub = "general"\n')
    assert refusal("--connector", str(path)) == (
        f"Error: the connector key 'a b,c' {UNFIT}; give it an --element-token\n"
    )


def test_a_control_token_that_is_empty_is_refused() -> None:
    assert refusal("--control-token", "") == (
        "Error: --control-token is empty; give a secret, or leave --control-token out for its default\n"
    )


def test_a_data_file_without_a_name_is_refused() -> None:
    assert refusal("--data", "", code=2).endswith(
        "Error: Invalid value for '--data': expected the name of a file, got none; leave it out to keep nothing\n"
    )
