"""What a terminal gets: colours unless it wants none, a bar only where a line can be redrawn, its cursor back."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.server import Server

from ..patience import PATIENCE
from ..served import Served, served
from .conftest import CSV

SHOW_CURSOR, HIDE_CURSOR = b"\x1b[?25h", b"\x1b[?25l"


@pytest.fixture
def fake() -> Iterator[Served]:
    emulator = Emulator()
    with Server(emulator) as server, served(server, emulator) as fake:
        yield fake


class Terminal:
    """`ocbulk` on a pseudo terminal."""

    def __init__(self, fake: Served, folder: Path, *arguments: str, **environment: str) -> None:
        (folder / "people.csv").write_text(CSV)
        self._seen, ours = pty.openpty()
        plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from pytest_ocbulk.cli import main; main()", *arguments],
            stdin=ours,
            stdout=ours,
            stderr=ours,
            cwd=folder,
            env={**plain, **fake.environment, "TERM": "xterm", **environment},
        )
        os.close(ours)
        self.shown = b""

    def until(self, text: bytes) -> None:
        """Read until that was shown."""
        while text not in self.shown and (part := self._read()):
            self.shown += part
        assert text in self.shown, self.shown

    def end(self) -> int:
        """Read to the end; the exit code."""
        while part := self._read():
            self.shown += part
        os.close(self._seen)
        return self.process.wait(PATIENCE)

    def _read(self) -> bytes:
        try:
            return os.read(self._seen, 65536)
        except OSError:  # Linux ends a pseudo terminal with EIO
            return b""


UPLOAD = ("upload", "people.csv", "--object", "contact", "--wait")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_are_left_out_where_none_are_wanted(
    fake: Served, tmp_path: Path, environment: dict[str, str], coloured: bool
) -> None:
    terminal = Terminal(fake, tmp_path, *UPLOAD, **environment)
    assert terminal.end() == 0
    assert b"all 2 rows are in." in terminal.shown
    assert (b"\x1b[32m" in terminal.shown) is coloured


def test_a_terminal_that_cannot_redraw_gets_lines(fake: Served, tmp_path: Path) -> None:
    terminal = Terminal(fake, tmp_path, *UPLOAD, TERM="dumb")
    assert terminal.end() == 0
    assert b"\x1b" not in terminal.shown
    assert b"Uploading people.csv ...\r\n" in terminal.shown


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_cursor_is_back_after_a_signal(
    fake: Served, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    fake.next_job("CREATED RUNNING forever")
    terminal = Terminal(fake, tmp_path, *UPLOAD)
    terminal.until(b"RUNNING")
    terminal.process.send_signal(number)
    assert terminal.end() == code
    assert terminal.shown.rindex(SHOW_CURSOR) > terminal.shown.rindex(HIDE_CURSOR)
