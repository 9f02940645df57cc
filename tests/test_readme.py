"""What the README shows is what happens."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests

from . import curl_line
from .patience import PATIENCE
from .server_process import server_process

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TIMES = ("bulk_start_time", "bulk_finish_time")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with server_process("--job", "CREATED COMPLETE") as server:
        yield server.base_url


def curl_and_answer() -> list[tuple[str, Any]]:
    """Each curl line of the README with the JSON that is shown after it."""
    pairs = [
        (before[1].strip(), json.loads(after[1]))
        for before, after in pairwise(BLOCKS)
        if before[0] == "sh" and before[1].startswith("curl") and after[0] == "json"
    ]
    assert len(pairs) == 4
    return pairs


def holds(shown: Any, answered: Any) -> bool:
    """Whether an answer is what is shown, but for the times of a job; of a record the README may leave members out."""
    if isinstance(shown, dict):
        same_fields = "status" not in shown or list(shown) == list(answered)
        return same_fields and all(
            isinstance(answered.get(name), int) if name in TIMES else answered.get(name) == value
            for name, value in shown.items()
        )
    if isinstance(shown, list) and isinstance(answered, list):
        return len(shown) == len(answered) and all(map(holds, shown, answered))
    return bool(shown == answered)


def test_the_walk_through_answers_what_the_readme_shows(base_url: str) -> None:
    for line, shown in curl_and_answer():
        answer = curl_line.run(line.replace("http://127.0.0.1:8765/elements/api-v2", base_url), ROOT)
        assert answer.status_code == 200
        assert holds(shown, answer.json()), (line, answer.text)


def test_an_answer_that_is_not_what_is_shown_is_noticed() -> None:
    _, shown = curl_and_answer()[2]
    assert not holds(shown, {**shown, "status": "COMPLETED"})
    assert not holds([{"a": 1}], [{"a": 1}, {"a": 2}])


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed; the same lines ran without it")
def test_curl_itself_can_paste_the_first_line(base_url: str) -> None:
    line, shown = curl_and_answer()[0]
    line = line.replace("http://127.0.0.1:8765/elements/api-v2", base_url)
    done = subprocess.run(
        ["bash", "-c", line + " --silent"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(done.stdout) == shown


def test_the_server_lists_the_connectors_as_the_readme_shows() -> None:
    shown = next(text for kind, text in BLOCKS if kind == "text" and "element token" in text)
    with server_process() as server:
        assert server.process.stdout is not None
        lines = [server.process.stdout.readline().rstrip() for _ in range(5)]
    assert lines == shown.splitlines()[1:6]


@pytest.mark.parametrize(
    "block",
    [text for kind, text in BLOCKS if kind == "python"],
    ids=lambda block: block.partition("def ")[2].partition("(")[0],
)
def test_the_tests_that_the_readme_shows_pass(
    block: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {"my_app": my_app()}
    exec(block, names)
    run = next(value for name, value in names.items() if name.startswith("test_"))
    (fixture,) = inspect.signature(run).parameters
    fake = request.getfixturevalue(fixture)
    for variable, value in fake.env().items():
        monkeypatch.setenv(variable, value)
    with fake.clock.drives_sleep():
        run(fake)


def my_app() -> Any:
    """The code under test of the downstream example."""
    path = ROOT / "tests" / "examples" / "downstream" / "my_app.py"
    spec = importlib.util.spec_from_file_location("my_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_connector_has_the_pages_objects_under_any_hub_and_its_own_beside_them(base_url: str) -> None:
    _, walk_through = curl_and_answer()[0]
    for token, own in (("marketing", "contact"), ("sqlserver", "contacts"), ("sage200", "customers")):
        headers = {"Authorization": f"Element {token}, User demo"}
        objects = requests.get(f"{base_url}/hubs/any/objects", headers=headers, timeout=PATIENCE).json()
        assert objects == walk_through
        found = requests.get(f"{base_url}/{own}", headers=headers, timeout=PATIENCE)
        assert found.status_code == 200


def test_every_file_that_the_readme_links_to_exists() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_make_targets_that_the_readme_names_exist() -> None:
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text()
    assert targets == ["demo", "test"]
    assert all(f"\n{target}:" in makefile for target in targets)
