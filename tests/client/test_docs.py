"""What docs/client.md shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import pytest_ocbulk.client
from pytest_ocbulk.client import BulkClient, BulkClientError
from pytest_ocbulk.client.bulk_client import ENVIRONMENT
from pytest_ocbulk.handle import OcBulk

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
TREE = re.findall(r"```text\n(BulkClientError\n.*?)```", PAGE, re.DOTALL)[0]


@pytest.mark.parametrize(
    "block", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL), ids=lambda text: text.split()[3]
)
def test_every_example_runs(
    block: str, ocbulk: OcBulk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "contacts.csv").write_bytes(b"C_EmailAddress\nann@acme.com\n")
    monkeypatch.chdir(tmp_path)
    for name, value in ocbulk.env().items():
        monkeypatch.setenv(name, value)
    with ocbulk.client() as client:
        request = SimpleNamespace(body=b"{}", headers={})
        names = {"client": client, "path": "contacts.csv", "run_id": "1", "key": "k", "request": request}
        exec(block, names)
    assert names.get("genuine") is False or ocbulk.records("contact") != []


def test_the_page_shows_the_tree_of_the_package() -> None:
    shown = [line.rstrip() for line in TREE.splitlines()]
    documented = [line.strip() for line in (pytest_ocbulk.client.__doc__ or "").splitlines()]
    assert [line for line in shown if line not in documented and line.lstrip("| ") not in documented] == []


def test_the_tree_names_every_exception() -> None:
    public = [getattr(pytest_ocbulk.client, name) for name in pytest_ocbulk.client.__all__]
    errors = {
        each.__name__ for each in public if isinstance(each, type) and issubclass(each, BulkClientError)
    }
    assert {name for name in errors if not re.search(rf"\b{name}\b", TREE)} == set()


def test_the_page_names_every_method_and_every_variable() -> None:
    methods = {name for name in vars(BulkClient) if not name.startswith("_")} - {"close", "from_environment"}
    assert {name for name in methods if f"`{name}(" not in PAGE} == set()
    assert {name for name in ENVIRONMENT.values() if f"`{name}`" not in PAGE} == set()
