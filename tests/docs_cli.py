"""What docs/cli.md shows of `ocbulk`: its help, and what a person sees on a terminal.

    python -m tests.docs_cli             write the reference anew
    python -m tests.docs_cli --record    and run the recorded commands again, on a pseudo terminal

Everything outside the two marked blocks of the file is written by hand.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import sys
import tempfile
import termios
from collections.abc import Mapping
from pathlib import Path

import click
from click.testing import CliRunner

from pytest_ocbulk.cli import ocbulk
from pytest_ocbulk.contacts import contacts, write_contacts
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.messages import BASE_PATH
from pytest_ocbulk.emulator.plans import JobPlan
from pytest_ocbulk.emulator.timeline import Timeline
from pytest_ocbulk.server import Server
from pytest_ocbulk.system_clock import SystemClock

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"
WIDTH = 100

RECORDED = {
    "An upload, waited for": (
        "CREATED 1s RUNNING 3s COMPLETE",
        "ocbulk upload contacts.csv --object contact --wait",
    ),
    "Rows that failed": (
        "CREATED 1s RUNNING 1s COMPLETE",
        "ocbulk upload spoilt.csv --object contact --wait --errors-to failed.csv",
    ),
    "A job that does not end in time": (
        "CREATED 1s RUNNING forever",
        "ocbulk upload contacts.csv --object contact --wait --timeout 5s",
    ),
}
"""Title to the course of the job and the command."""

COMMANDS = tuple(command for _, command in RECORDED.values())


def reference() -> str:
    """The help of the group and of every command, as Markdown."""
    commands = ocbulk.list_commands(click.Context(ocbulk))
    return "\n".join([_help(), *(_help(name) for name in commands)])


def _help(*command: str) -> str:
    result = CliRunner().invoke(ocbulk, [*command, "--help"], env={"COLUMNS": str(WIDTH)})
    title = " ".join(("ocbulk", *command))
    return f"### {title}\n\n```text\n{result.output}```\n"


def recordings() -> str:
    """What each of the recorded commands shows, as Markdown. Takes some seconds of real time."""
    return "\n".join(f"### {title}\n\n```console\n{_record(*told)}```\n" for title, told in RECORDED.items())


def _record(course: str, command: str) -> str:
    emulator = Emulator(background=True)
    instance = emulator.create_instance(built_in("marketing"), clock=SystemClock())
    instance.plans.queued.append(JobPlan(Timeline.parse(course)))
    with Server(emulator) as server, tempfile.TemporaryDirectory() as directory:
        write_contacts(Path(directory) / "contacts.csv", 1_000_000, seed=7)
        spoilt = contacts(2_000, seed=7, bad={"email": 12, "missing": 5})
        (Path(directory) / "spoilt.csv").write_bytes(spoilt.bytes)
        environment = {
            "OPEN_CONNECTORS_BASE_URL": server.url + BASE_PATH,
            "OPEN_CONNECTORS_ELEMENT_TOKEN": instance.token,
            "OPEN_CONNECTORS_USER_SECRET": instance.user_secret,
        }
        shown, code = on_a_terminal(shlex.split(command), directory, environment)
    return f"$ {command}\n{seen(shown)}$ echo $?\n{code}\n"


def on_a_terminal(command: list[str], directory: str, environment: Mapping[str, str]) -> tuple[str, int]:
    """Run a command as in a window of `WIDTH` columns; everything it wrote there, and how it ended."""
    child, window = pty.fork()
    if child == 0:
        os.chdir(directory)
        os.environ.update(
            environment, TERM="xterm", PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        )
        os.execvp(command[0], command)
    fcntl.ioctl(window, termios.TIOCSWINSZ, struct.pack("HHHH", 40, WIDTH, 0, 0))
    shown = b""
    while part := _read(window):
        shown += part
    os.close(window)
    _, status = os.waitpid(child, 0)
    return shown.decode(), os.waitstatus_to_exitcode(status)


def _read(window: int) -> bytes:
    try:
        return os.read(window, 65536)
    except OSError:  # Linux ends a pseudo terminal with EIO
        return b""


def seen(shown: str) -> str:
    """The lines that a person sees, without colours; of a line drawn again and again four of its states."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r\n", "\n")
    lines: list[str] = []
    for line in plain.removesuffix("\n").split("\n"):
        states = [state.rstrip() for state in line.split("\r") if state] or [""]
        last = len(states) - 1
        lines += dict.fromkeys(states[number] for number in (0, last // 3, last * 2 // 3, last))
    return "\n".join(lines) + "\n"


def renewed(page: str, block: str, content: str) -> str:
    """The page with the content of one marked block replaced."""
    begin, end = f"<!-- {block}: begin -->\n", f"<!-- {block}: end -->\n"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{content}\n{end}{after}"


def main(*, record: bool) -> None:
    """Write the page anew."""
    page = renewed(PAGE.read_text(), "reference", reference())
    if record:
        page = renewed(page, "recordings", recordings())
    PAGE.write_text(page)


if __name__ == "__main__":
    main(record="--record" in sys.argv)
