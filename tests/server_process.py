"""`ocbulk-server` as a process of its own, for tests that need the program and not the library."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .patience import PATIENCE


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server: its process and the base URL that its first line told."""

    process: subprocess.Popen[str]
    base_url: str


@contextmanager
def server_process(*arguments: str, **environment: str) -> Iterator[ServerProcess]:
    """Start the server on a free port with more arguments; it is ended at the end, if it still runs."""
    command = [sys.executable, "-m", "fake_server", "--port", "0", *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("listening on http://"), (line, process.stderr and process.stderr.read())
            yield ServerProcess(process, line.removeprefix("listening on ").strip())
        finally:
            if process.poll() is None:
                process.terminate()
            process.communicate(timeout=PATIENCE)
