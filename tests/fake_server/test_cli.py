"""`ocbulk-server` as its user meets it: first line, options, environment, wrong input, end."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from fake_server import __main__, cli

from ..patience import PATIENCE
from ..server_process import ServerProcess, server_process

SAMPLE = Path(__file__).parents[2] / "fixtures" / "csv" / "sample.csv"
HEADERS = {"Authorization": "Element sqlserver, User demo"}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with server_process("--job", "CREATED COMPLETE") as running:
        yield running


def refused(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a server that is expected not to start."""
    command = [sys.executable, "-m", "fake_server", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**environment, "PATH": ""},
    )


Get = Callable[[str], Any]
Post = Callable[[str, bytes], Any]


def with_requests(base: str) -> tuple[Get, Post]:
    return (
        lambda path: requests.get(base + path, headers=HEADERS, timeout=PATIENCE).json(),
        lambda path, data: requests.post(
            base + path, headers=HEADERS, files={"file": ("sample.csv", data)}, timeout=PATIENCE
        ).json(),
    )


def with_httpx(base: str) -> tuple[Get, Post]:
    return (
        lambda path: httpx.get(base + path, headers=HEADERS, timeout=PATIENCE).json(),
        lambda path, data: httpx.post(
            base + path, headers=HEADERS, files={"file": ("sample.csv", data)}, timeout=PATIENCE
        ).json(),
    )


def with_aiohttp(base: str) -> tuple[Get, Post]:
    async def call(method: str, path: str, data: bytes | None) -> Any:
        form = aiohttp.FormData()
        if data is not None:
            form.add_field("file", data, filename="sample.csv", content_type="text/csv")
        async with (
            aiohttp.ClientSession(headers=HEADERS) as session,
            session.request(method, base + path, data=form if data is not None else None) as answer,
        ):
            return await answer.json()

    return (
        lambda path: asyncio.run(call("GET", path, None)),
        lambda path, data: asyncio.run(call("POST", path, data)),
    )


@pytest.mark.parametrize(
    "client", [with_requests, with_httpx, with_aiohttp], ids=["requests", "httpx", "aiohttp"]
)
def test_a_foreign_client_walks_through_the_page(
    client: Callable[[str], tuple[Get, Post]],
) -> None:
    with server_process("--job", "CREATED COMPLETE", "--quiet") as server:
        get, post = client(server.base_url)
        assert get("/hubs/marketing/objects") == ["activities", "contact", "campaign", "list", "account"]
        job = post("/hubs/marketing/bulk/contact?path=/sample.csv", SAMPLE.read_bytes())
        assert (job["id"], job["status"]) == ("1234", "CREATED")
        status = get("/hubs/marketing/bulk/1234/status")
        assert (status["id"], status["status"]) == ("1234", "COMPLETE")
        assert [contact["C_FirstName"] for contact in get("/hubs/marketing/contact")] == [
            line.split(",")[1] for line in SAMPLE.read_text().splitlines()[1:]
        ]


def test_wrong_credentials_are_answered_with_the_vendors_sentence(server: ServerProcess) -> None:
    answer = requests.get(
        server.base_url + "/objects", headers={"Authorization": "Element nobody, User demo"}, timeout=PATIENCE
    )
    assert answer.status_code == 401
    assert (
        answer.json()["message"] == "Invalid Organization or User secret, or invalid Element token provided."
    )


def test_the_first_line_says_where_it_listens_and_quiet_says_no_more() -> None:
    with server_process("--quiet") as server:
        server.process.terminate()
        rest, _ = server.process.communicate(timeout=PATIENCE)
    assert server.base_url.endswith("/elements/api-v2")
    assert rest == ""


def test_the_guide_ends_with_a_curl_line_to_paste() -> None:
    with server_process("--connector", "sage200", "--element-token", "abc", "--user-secret", "s3") as server:
        assert server.process.stdout is not None
        lines = [server.process.stdout.readline().rstrip() for _ in range(6)]
    assert lines == [
        "",
        "connector  hub      element token  user secret",
        "sage200    finance  abc            s3",
        "",
        "Try it:",
        f"  curl -H 'Authorization: Element abc, User s3' '{server.base_url}/hubs/finance/objects'",
    ]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            ["--host", "0.0.0.0"],
            (
                "open on all addresses of this machine, so that other machines reach it;"
                " the secret 'demo' is public: choose another with --user-secret"
            ),
        ),
        (
            ["--host", "0.0.0.0", "--user-secret", "s3"],
            "open on all addresses of this machine, so that other machines reach it",
        ),
        ([], ""),
    ],
)
def test_a_server_that_others_reach_says_so_below_the_line_that_programs_wait_for(
    options: list[str], text: str
) -> None:
    with server_process("--control-token", "t", *options) as server:
        assert server.base_url.startswith("http://127.0.0.1:")
        assert server.process.stdout is not None
        assert server.process.stdout.readline() == f"{text}\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_stops_it_cleanly(number: signal.Signals) -> None:
    with server_process() as server:
        server.process.send_signal(number)
        _, errors = server.process.communicate(timeout=PATIENCE)
    assert (server.process.returncode, errors) == (0, "")


def test_a_port_in_use_is_one_clear_line_and_exit_1() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = refused("--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: cannot listen on 127.0.0.1:{port}: the port is in use;"
        " end the other program or choose another port (0 takes a free one)\n"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["--job", "CREATED RUNING COMPLETE"],
            (
                "timeline 'CREATED RUNING COMPLETE': 'RUNING' is neither a status nor a hold (2s, 10m, x3, forever);"
                " did you mean 'RUNNING'? A status from the future is written in quotes: 'RUNING'."
            ),
        ),
        (["--connector", "sage100"], "unknown connector 'sage100'; did you mean 'sage200'?"),
        (["--connector", "none.toml"], "none.toml: cannot be read: No such file or directory"),
        (["--quirk", "json_shap=array"], "unknown quirk 'json_shap'; did you mean 'json_shape'?"),
        (
            ["--connector", "sage200", "--element-token", "a", "--element-token", "b"],
            "2 element tokens for 1 connector; give one --element-token per connector, in the same order",
        ),
        (
            ["--user-secret", ""],
            "--user-secret is empty; give a secret, or leave --user-secret out for its default",
        ),
        (
            ["--element-token", " "],
            "--element-token is empty; give a secret, or leave --element-token out for its default",
        ),
        (
            ["--data", "/"],
            "/: a folder, not a file; give the data file a name in it: /ocbulk.db",
        ),
        (
            ["--element-token", "sqlserver"],
            "the element token 'sqlserver' stands for two instances; give each its own --element-token",
        ),
    ],
)
def test_a_wrong_option_is_one_clear_line(arguments: list[str], text: str) -> None:
    done = refused("--port", "0", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"Error: {text}\n")


def test_every_option_can_come_from_the_environment() -> None:
    with server_process(
        "--quiet", OCBULK_DIALECT="live", OCBULK_USER_SECRET="other", OCBULK_JOB="CREATED COMPLETE"
    ) as server:
        headers = {"Authorization": "Element sqlserver, User other"}
        form = {"file": ("sample.csv", SAMPLE.read_bytes())}
        job = requests.post(
            server.base_url + "/bulk/contact", headers=headers, files=form, timeout=PATIENCE
        ).json()
        status = requests.get(
            f"{server.base_url}/bulk/{job['id']}/status", headers=headers, timeout=PATIENCE
        ).json()
    assert status["status"] == "COMPLETED"


def test_a_repeatable_option_comes_from_a_variable_of_its_own_name() -> None:
    with server_process(OCBULK_CONNECTOR="sage200 sqlserver", OCBULK_ELEMENT_TOKEN="a b") as server:
        assert server.process.stdout is not None
        lines = [server.process.stdout.readline().split() for _ in range(4)]
    assert lines[2:] == [["sage200", "finance", "a", "demo"], ["sqlserver", "db", "b", "demo"]]


@pytest.mark.parametrize("before", [True, False], ids=["before the command", "after it"])
def test_a_snapshots_data_file_is_given_before_or_after_the_command(before: bool, tmp_path: Path) -> None:
    data = ["--data", str(tmp_path / "none")]
    done = refused(*data, "snapshot", "save", "one") if before else refused("snapshot", "save", "one", *data)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {tmp_path / 'none'}: there is no such data file; ")


def test_a_snapshot_of_no_data_file_is_refused() -> None:
    done = refused("snapshot", "list")
    assert done.returncode == 2
    assert done.stderr.endswith("Error: Missing option '--data'.\n")


def test_a_wrong_value_from_the_environment_is_told_with_its_variable() -> None:
    done = refused(OCBULK_DIALECT="both")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "Error: Invalid value for '--dialect' (from OCBULK_DIALECT): 'both' is for pytest, which reads OCBULK_DIALECT"
        " too and runs tests twice; a server speaks one: documented or live\n"
    )
    assert refused("--dialect", "bath", OCBULK_DIALECT="live").stderr.endswith(
        "Error: Invalid value for '--dialect': 'bath' is not one of 'documented', 'live'.\n"
    )
    assert refused(OCBULK_QUIRK="id_type").stderr.endswith(
        "Error: Invalid value for '--quirk' (from OCBULK_QUIRK): write it as NAME=VALUE, got 'id_type'\n"
    )


def test_a_limit_below_zero_is_refused() -> None:
    done = refused("--max-upload", "-5")
    assert done.returncode == 2
    assert done.stderr.endswith("Error: Invalid value for '--max-upload': -5 is not in the range x>=0.\n")


def test_the_default_job_takes_its_time(server: ServerProcess) -> None:
    """CREATED 1s RUNNING 2s COMPLETE, by the machine's clock: it is not complete at once."""
    with server_process("--quiet") as slow:
        form = {"file": ("sample.csv", SAMPLE.read_bytes())}
        began = time.monotonic()
        job = requests.post(
            slow.base_url + "/bulk/contact", headers=HEADERS, files=form, timeout=PATIENCE
        ).json()
        url = f"{slow.base_url}/bulk/{job['id']}/status"
        status = requests.get(url, headers=HEADERS, timeout=PATIENCE).json()["status"]
        assert status == "CREATED" or time.monotonic() - began > 1


def test_a_connector_of_ones_own_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text('key = "shop"\nname = "Shop"\nhub = "ecommerce"\n[objects.orders]\n')
    with server_process("--quiet", "--connector", str(path)) as server:
        headers = {"Authorization": "Element shop, User demo"}
        answer = requests.get(server.base_url + "/objects", headers=headers, timeout=PATIENCE)
    assert answer.json() == ["orders"]


def test_bad_bodies_are_answered_and_the_next_request_works(server: ServerProcess) -> None:
    url = server.base_url + "/bulk/contact"
    multipart = HEADERS | {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x", b"--x\r\n\r\n--x--\r\n", b"\x00\xff" * 1000):
        answer = requests.post(url, headers=multipart, data=body, timeout=PATIENCE)
        assert answer.status_code == 400
        assert set(answer.json()) == {"requestId", "message"}
    assert requests.get(server.base_url + "/objects", headers=HEADERS, timeout=PATIENCE).status_code == 200


def test_the_garbage_collector_rests_only_while_the_program_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[bool, bool]] = []
    monkeypatch.setattr(cli, "main", lambda: seen.append((gc.isenabled(), gc.get_freeze_count() > 0)))
    try:
        __main__.main()
    finally:
        gc.unfreeze()
    assert seen == [(True, True)]


def test_the_demo_ends_well_and_shows_each_poll() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fake_server.demo"],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "status  CREATED" in done.stdout
    assert "status  COMPLETE" in done.stdout
    assert "1,000 contacts, the first 5:" in done.stdout
    assert "curl -H 'Authorization: Element sqlserver, User demo'" in done.stdout
