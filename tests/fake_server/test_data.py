"""`ocbulk-server --data FILE` and `ocbulk-server snapshot`, as their user meets them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from fake_server.control import ControlApi
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.ledger import DataFileLost
from pytest_ocbulk.emulator.messages import Request
from pytest_ocbulk.emulator.store import Store

from ..patience import PATIENCE
from ..server_process import server_process

SAMPLE = Path(__file__).parents[2] / "fixtures" / "csv" / "sample.csv"
HEADERS = {"Authorization": "Element marketing, User demo"}


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [sys.executable, "-m", "fake_server", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def contacts(base_url: str) -> int:
    answer = requests.get(f"{base_url}/contact", headers=HEADERS, timeout=PATIENCE)
    assert answer.status_code == 200
    return len(answer.json())


def upload(base_url: str) -> Any:
    files = {"file": ("sample.csv", SAMPLE.read_bytes())}
    stub = requests.post(f"{base_url}/bulk/contact", headers=HEADERS, files=files, timeout=PATIENCE).json()
    return requests.get(f"{base_url}/bulk/{stub['id']}/status", headers=HEADERS, timeout=PATIENCE).json()


def started(data: Path, *arguments: str) -> Any:
    return server_process("--quiet", "--job", "CREATED COMPLETE", "--data", str(data), *arguments)


def test_what_one_server_kept_the_next_one_has(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data) as server:
        assert upload(server.base_url)["status"] == "COMPLETE"
    with started(data) as server:
        assert contacts(server.base_url) == 10
        health = requests.get(
            server.base_url.replace("/elements/api-v2", "/__ocbulk__/health"), timeout=PATIENCE
        )
        assert health.json()["instances"] == 3


def test_the_command_line_rules_over_the_servers_own_instances(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data) as server:
        upload(server.base_url)
    with started(data, "--user-secret", "other", "--dialect", "live") as server:
        assert (
            requests.get(f"{server.base_url}/contact", headers=HEADERS, timeout=PATIENCE).status_code == 401
        )
        headers = {"Authorization": "Element marketing, User other"}
        jobs = requests.get(f"{server.base_url}/bulk/jobs", headers=headers, timeout=PATIENCE).json()
        assert [job["status"] for job in jobs] == ["COMPLETED"]


def test_an_element_token_that_stands_for_another_connector_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data, "--connector", "marketing", "--element-token", "mine"):
        pass
    done = program("--port", "0", "--data", str(data), "--connector", "sage200", "--element-token", "mine")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: {data}: the element token 'mine' is that of an instance of 'marketing', not of 'sage200';"
        " choose another --element-token or data file\n"
    )


def test_a_second_server_on_the_file_is_refused_in_one_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data):
        done = program("--port", "0", "--data", str(data))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: {data}: in use by another ocbulk-server; stop that one or choose another file\n"
    )


def test_a_state_is_saved_listed_and_loaded(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data) as server:
        upload(server.base_url)
        refused = program("snapshot", "save", "ten", "--data", str(data))
        assert (refused.returncode, refused.stderr) == (
            1,
            f"Error: {data}: in use by another ocbulk-server; stop that one or choose another file\n",
        )
    saved = program("snapshot", "save", "ten", "--data", str(data))
    assert (saved.returncode, saved.stderr) == (0, "")
    assert saved.stdout.startswith("saved ten (")
    with started(data) as server:
        requests.delete(f"{server.base_url}/contact/1", headers=HEADERS, timeout=PATIENCE)
        assert contacts(server.base_url) == 9
        server.process.kill()
        server.process.wait(PATIENCE)
    assert program("snapshot", "list", "--data", str(data)).stdout.startswith("ten  20")
    loaded = program("snapshot", "load", "ten", "--data", str(data))
    assert (loaded.stdout, loaded.stderr) == (f"loaded ten; start the server with --data {data}\n", "")
    with started(data) as server:
        assert contacts(server.base_url) == 10


def test_a_damaged_file_is_replaced_by_a_snapshot(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data) as server:
        upload(server.base_url)
    program("snapshot", "save", "good", "--data", str(data))
    content = bytearray(data.read_bytes())
    content[4096 * 3 : 4096 * 5] = bytes(4096 * 2)
    data.write_bytes(content)
    done = program("--port", "0", "--data", str(data))
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert program("snapshot", "load", "good", "--data", str(data)).returncode == 0
    with started(data) as server:
        assert contacts(server.base_url) == 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["save", "x"], "{data}: there is no such data file; a server makes it: ocbulk-server --data {data}"),
        (["load", "x"], "{data}: no snapshot is called 'x'; nothing was saved so far"),
        *(
            (
                ["load", name],
                (
                    "a snapshot is named with letters, digits, dots, dashes and underscores, at most 100,"
                    f" got {name!r}"
                ),
            )
            for name in (
                "../../etc/passwd",
                "/etc/passwd",
                "a/b",
                "..",
                ".hidden",
                "",
                "x" * 101,
                "a\nb",
                "a\0b",
            )
            if "\0" not in name
        ),
    ],
)
def test_a_snapshot_that_cannot_be_is_one_clear_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = program("snapshot", *arguments, "--data", str(data))
    assert (done.returncode, done.stderr) == (1, f"Error: {said.format(data=data)}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_somebody_else_is_not_overwritten_by_a_snapshot(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data):
        pass
    program("snapshot", "save", "mine", "--data", str(data))
    data.write_text("my diary\n" * 1000)
    done = program("snapshot", "load", "mine", "--data", str(data))
    assert (
        done.stderr
        == f"Error: {data}: not a data file of ocbulk-server; it was left as it is; choose another file\n"
    )
    assert data.read_text() == "my diary\n" * 1000


def test_a_running_server_saves_its_own_state(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data) as server:
        upload(server.base_url)
        address = server.base_url.replace("/elements/api-v2", "/__ocbulk__/snapshots")
        assert requests.get(address, timeout=PATIENCE).json() == {"snapshots": []}
        saved = requests.post(address, json={"name": "ten"}, timeout=PATIENCE).json()
        assert saved["saved"] == "ten"
        assert requests.get(address, timeout=PATIENCE).json() == {"snapshots": ["ten"]}
        refused = requests.post(address, json={"name": "../x"}, timeout=PATIENCE)
        assert refused.status_code == 400
        requests.delete(f"{server.base_url}/contact/1", headers=HEADERS, timeout=PATIENCE)
        assert contacts(server.base_url) == 9
    assert program("snapshot", "load", "ten", "--data", str(data)).returncode == 0
    with started(data) as server:
        assert contacts(server.base_url) == 10


def test_a_server_that_keeps_nothing_has_nothing_to_save() -> None:
    emulator = Emulator()
    request = Request.of("POST", "/__ocbulk__/snapshots", {"Host": "localhost"}, b'{"name": "x"}')
    answer = ControlApi(emulator).handle(request)
    assert (answer.status, answer.body) == (
        400,
        b'{"message": "nothing is kept, so there is nothing to save; start the server with --data FILE"}',
    )


def make_instances(emulator: Emulator, count: int) -> None:
    for _ in range(count):
        emulator.create_instance(built_in("marketing"))


def test_health_is_503_when_the_data_file_can_no_longer_be_written(tmp_path: Path) -> None:
    emulator = Emulator(store=Store(str(tmp_path / "data")))
    health = Request.of("GET", "/__ocbulk__/health", {"Host": "localhost"})
    assert ControlApi(emulator).handle(health).status == 200
    pages = emulator.store.db.execute("PRAGMA page_count").fetchone()[0]
    emulator.store.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DataFileLost):
        make_instances(emulator, 1000)
    assert ControlApi(emulator).handle(health).status == 503
    emulator.close()
