"""The examples of docs/control.md: its Python is a part of this file, its curl lines are run."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from fake_server.app import FakeServerApp
from fake_server.control import ControlApi
from fake_server.control_client import ControlClient
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.server import Server

from .. import docs_control
from ..docs_control import PAGE
from ..patience import PATIENCE


@pytest.fixture
def server_url() -> Iterator[str]:
    emulator = Emulator()
    emulator.create_instance(built_in("marketing"), token="marketing", user_secret="demo")
    with Server(FakeServerApp(emulator, ControlApi(emulator))) as server:
        yield server.url
    emulator.close()


def my_program(url: str) -> str:
    """A program that uploads and reports how it ended."""
    base, headers = f"{url}/elements/api-v2", {"Authorization": "Element marketing, User demo"}
    files = {"file": ("a.csv", "C_EmailAddress\nann@example.com\n")}
    job = requests.post(f"{base}/bulk/contact", headers=headers, files=files, timeout=PATIENCE).json()["id"]
    while True:
        answer = requests.get(f"{base}/bulk/{job}/status", headers=headers, timeout=PATIENCE)
        if answer.ok and answer.json()["status"] == "ABORTED":
            return f"failed: {answer.json()['error']}"
        time.sleep(0)


# --- the page begins here


def test_an_aborted_job_is_reported(server_url: str) -> None:
    with ControlClient(server_url) as control:
        fake = control.instance("marketing")
        fake.reset()
        fake.next_job("CREATED RUNNING x3 ABORTED", error="quota exceeded")
        fake.add_fault("status:503")

        assert my_program(server_url) == "failed: quota exceeded"

        assert [job["status"] for job in fake.jobs()] == ["ABORTED"]
        assert len(fake.journal(operation="status")["exchanges"]) == 5
        assert fake.warnings() == []


# --- the page ends here


def test_the_curl_lines_of_the_page_work(server_url: str) -> None:
    lines = [line.removeprefix("$ ") for line in PAGE.read_text().splitlines() if line.startswith("$ curl ")]
    assert [line for line in lines if "?" in re.sub("'[^']*'", "", line)] == [], "zsh takes ? for a pattern"
    answers = [_curled(line.replace("http://127.0.0.1:8765", server_url)) for line in lines]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[2].json()["fault"] == "upload:reset:after"


def _curled(line: str) -> requests.Response:
    """What curl does with the options of the page: -X, -d and an address."""
    words = [word for word in shlex.split(line)[1:] if word != "-s"]
    url = next(word for word in words if word.startswith("http"))
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    body = words[words.index("-d") + 1] if "-d" in words else None
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}  # as curl says
    return requests.request(method, url, data=body, headers=headers, timeout=PATIENCE)


def test_the_table_of_the_page_is_in_step_with_the_calls() -> None:
    page = PAGE.read_text()
    assert docs_control.renewed(page) == page, "run: python -m tests.docs_control"
    assert docs_control.table() in page


def test_every_block_of_the_page_is_run_here() -> None:
    blocks = [block.partition("```")[0] for block in PAGE.read_text().split("```python\n")[1:]]
    run = Path(__file__).read_text().partition("# --- the page begins here")[2]
    assert blocks
    assert [block for block in blocks if block not in run] == []
