"""`ocbulk record` can be ended whatever the service does, and does not ask itself."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_ocbulk.cli import ocbulk

from ..patience import PATIENCE

ASKED = b"GET /elements/api-v2/objects HTTP/1.1\r\nHost: localhost\r\n\r\n"
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"


@contextmanager
def recording(upstream: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The running program and its port."""
    arguments = ["record", "--upstream", upstream, "--to", str(folder), "--port", "0"]
    command = [sys.executable, "-c", "from pytest_ocbulk.cli import main; main()", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield process, int(line.removeprefix("recording at http://127.0.0.1:").partition("/")[0])
        finally:
            process.kill()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("begun", [b"", BEGUN], ids=["no answer", "half a body"])
def test_it_ends_while_the_service_is_silent(ending: signal.Signals, begun: bytes, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        upstream = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            recording(upstream, tmp_path / "r") as (process, port),
            socket.create_connection(("127.0.0.1", port), PATIENCE) as client,
        ):
            client.sendall(ASKED)
            silent, _ = listener.accept()
            with silent:
                silent.settimeout(PATIENCE)
                assert silent.recv(65536).startswith(b"GET /objects ")
                silent.sendall(begun)
                if begun:
                    assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
                process.send_signal(ending)
                output, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, "")
    assert output.startswith(f"{1 if begun else 0} exchanges in {tmp_path / 'r'}\n")


@pytest.mark.parametrize(
    ("upstream", "arguments"),
    [
        ("http://127.0.0.1:8700/elements/api-v2", []),
        ("http://localhost:8700/elements/api-v2", []),
        ("http://[::1]:8700/elements/api-v2", ["--host", "0.0.0.0"]),
        ("http://localhost/elements/api-v2", ["--port", "80"]),
    ],
)
def test_its_own_address_is_no_service(upstream: str, arguments: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "r"
    ended = CliRunner().invoke(ocbulk, ["record", "--upstream", upstream, "--to", str(folder), *arguments])
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"Error: --upstream {upstream} is where the recorder itself is to listen; give it another --port, or the"
        " address of the service\n"
    )
    assert not folder.exists()
