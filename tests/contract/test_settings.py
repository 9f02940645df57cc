"""`ocbulk_contract.toml`: what the cases may use, and what is missing for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ocbulk.contract.fakes import fake
from pytest_ocbulk.contract.settings import EXAMPLES, ContractSettings, example, find, read, settings_of
from pytest_ocbulk.emulator.connectors import BUILT_IN, built_in
from pytest_ocbulk.emulator.errors import OcBulkError


def test_without_a_file_nothing_is_named(tmp_path: Path) -> None:
    assert find(tmp_path) == ContractSettings()


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "ocbulk_contract.toml").write_text('object = "contact"\npoll_interval = 5\n')
    assert find(tmp_path) == ContractSettings(object="contact", poll_interval=5)


def test_there_is_an_example_for_each_connector_that_fits_it() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.toml")) == sorted(BUILT_IN)
    for name in BUILT_IN:
        settings, connector = example(name), built_in(name)
        fields = connector.objects[settings.object].fields
        used = {
            settings.key,
            settings.writable,
            settings.optional,
            settings.id,
            *settings.others,
            *settings.bad,
        }
        assert used <= set(fields), name
        assert settings.connector == name


def test_a_need_that_is_not_met_is_told() -> None:
    assert ContractSettings(object="contact").lacks("object") == ""
    assert (
        ContractSettings().lacks("bad") == "ocbulk_contract.toml has no 'bad': values that the object refuses"
    )


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"objects": "x"}, "ocbulk_contract.toml: unknown key 'objects'; did you mean 'object'?"),
        ({"object": 1}, "ocbulk_contract.toml: object takes a text, got 1"),
        ({"bad": "x"}, "ocbulk_contract.toml: bad takes a table, got 'x'"),
        ({"poll_interval": True}, "ocbulk_contract.toml: poll_interval takes a number, got True"),
    ],
)
def test_a_wrong_value_is_refused(values: dict[str, object], complaint: str) -> None:
    with pytest.raises(OcBulkError) as refusal:
        settings_of(values)
    assert str(refusal.value) == complaint


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(OcBulkError) as refusal:
        read(path)
    assert str(refusal.value) == f"cannot read {path}: No such file or directory"


def test_a_connector_of_ones_own_needs_settings_of_ones_own() -> None:
    with pytest.raises(OcBulkError) as refusal:
        example("salesforce")
    assert str(refusal.value) == (
        "the contract has no example for connector 'salesforce'; known are marketing, sage200, sqlserver"
    )


def test_a_door_that_there_is_not_is_refused() -> None:
    with pytest.raises(OcBulkError, match="unknown door 'sockets'; did you mean 'socket'"), fake("sockets"):
        pass
