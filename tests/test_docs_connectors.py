"""docs/connectors.md: its example is a connector, its tables name every key and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_ocbulk.emulator.connectors import FieldDefinition, ObjectDefinition, load
from pytest_ocbulk.emulator.errors import OcBulkError

from .endpoints.service import Service

PAGE = (Path(__file__).parent.parent / "docs" / "connectors.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "shop.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    return path


def documented(heading: str) -> list[str]:
    """The keys of the table below a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_the_example_is_a_connector_whose_rules_hold(example: Path) -> None:
    service = Service.of(load(example))
    file = "number,customer\nAB000001,1\nab1,2\n"
    status = service.finished(service.upload("orders", file, {"bulkUploadRecordSize": 1}))
    assert (status["recordsCount"], status["recordsFailedCount"]) == (2, 1)
    (order,) = service.get("/orders").json
    assert (order["number"], order["customer"]) == ("AB000001", 1)
    assert service.fill("notes", {"id": 1, "any": {"thing": True}})
    whole = service.finished(service.upload("orders", file))
    assert whole["recordsFailedCount"] == 2  # a batch of 50 falls as a whole


def test_the_mistake_shown_is_refused_in_these_words(example: Path) -> None:
    example.write_text(EXAMPLE.replace('"boolean"', '"bool"'), encoding="utf-8")
    with pytest.raises(OcBulkError) as refused:
        load(example)
    (shown,) = re.findall(r"```console\n(.*?)\n```", PAGE, re.DOTALL)
    assert str(refused.value).replace(str(example), "shop.toml") == shown


@pytest.mark.parametrize(
    ("heading", "shape"), [("An object", ObjectDefinition), ("A field", FieldDefinition)]
)
def test_every_key_of_objects_and_fields_is_told(
    heading: str, shape: type[ObjectDefinition | FieldDefinition]
) -> None:
    assert sorted(documented(heading)) == sorted(name for name in shape._fields if name != "name")


def test_every_key_of_the_file_is_told(tmp_path: Path) -> None:
    """A key that is not known is refused with the nearest one: none of the documented ones is."""
    keys = documented("The file")
    assert len(keys) == len(set(keys)) == 12
    for key in keys:
        path = tmp_path / f"{key}.toml"
        path.write_text(f"{key} = []\n")
        with pytest.raises(OcBulkError) as refused:
            load(path)
        assert "is not a key of a connector file" not in str(refused.value)
