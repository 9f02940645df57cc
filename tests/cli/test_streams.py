"""Arguments that are no text, output that cannot say everything, output that is full: one clear line at most."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.server import Server

from ..patience import PATIENCE
from ..served import Served, served
from ..server_process import server_process

NAMES = ("山田", "Zoë", "😀")
BAD = os.fsdecode(b"\xe9")


@pytest.fixture
def fake() -> Iterator[Served]:
    """A fake whose contacts have names that cp1252 has not."""
    emulator = Emulator()
    with Server(emulator) as server, served(server, emulator) as fake, fake.client() as client:
        rows = "".join(f"a{number}@acme.com,{name}\n" for number, name in enumerate(NAMES))
        client.upload("contact", f"C_EmailAddress,C_FirstName\n{rows}".encode())
        yield fake


def ocbulk(
    fake: Served, *arguments: str, encoding: str = "utf-8", to: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the program as a process of its own."""
    environment = os.environ | fake.environment | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "1"}
    with Path(to or os.devnull).open("wb") as full:
        return subprocess.run(
            [sys.executable, "-c", "from pytest_ocbulk.cli import main; main()", *arguments],
            env=environment,
            stdout=full if to else subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )


def test_a_narrow_encoding_has_characters_spelled_out_in_a_table(fake: Served) -> None:
    ended = ocbulk(fake, "records", "contact", encoding="cp1252")
    assert (ended.returncode, ended.stderr) == (0, b"")
    shown = ended.stdout.decode("cp1252")
    assert [name in shown for name in (r"\u5c71\u7530", "Zoë", r"\U0001f600")] == [True, True, True]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_json_is_json_in_every_encoding(fake: Served, encoding: str) -> None:
    ended = ocbulk(fake, "records", "contact", "--json", encoding=encoding)
    assert (ended.returncode, ended.stderr) == (0, b"")
    records = [json.loads(line) for line in ended.stdout.decode(encoding).splitlines()]
    assert [each["C_FirstName"] for each in records][-3:] == list(NAMES)
    assert ("山田".encode() in ended.stdout) is (encoding == "utf-8")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["records", "contact", "--where", f"C_FirstName='{BAD}'"], "'--where'"),
        (["records", BAD], "'OBJECT'"),
        (["status", "1", "--user-secret", BAD], "'--user-secret' (env var: 'OPEN_CONNECTORS_USER_SECRET')"),
        (["upload", "-", "--object", "contact", "--metadata", f'{{"source": "{BAD}"}}'], "'--metadata'"),
    ],
)
def test_an_argument_that_is_no_text_is_refused(fake: Served, arguments: list[str], option: str) -> None:
    ended = ocbulk(fake, *arguments)
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert ended.stderr.decode().endswith(
        f"\nError: Invalid value for {option}: expected UTF-8, got the byte 0xe9; write it in UTF-8\n"
    )


def test_a_file_whose_name_is_no_text_is_uploaded(fake: Served, tmp_path: Path) -> None:
    path = tmp_path / f"caf{BAD}.csv"
    path.write_text("C_EmailAddress\nx@acme.com\n")
    ended = ocbulk(fake, "upload", str(path), "--object", "contact", "--wait")
    assert ended.returncode == 0
    assert ended.stderr.startswith(b"Uploading caf\\udce9.csv ...\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full here")
def test_a_full_disk_under_standard_output_is_one_line(fake: Served) -> None:
    ended = ocbulk(fake, "records", "contact", to="/dev/full")
    assert (ended.returncode, ended.stderr) == (1, b"Error: standard output: No space left on device\n")


# -- the server


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full here")
def test_a_server_that_can_tell_nobody_where_it_listens_ends_in_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "fake_server", "--port", "0"],
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (
        1,
        b"Error: standard output: No space left on device; the server has ended\n",
    )


def test_a_data_file_whose_name_is_no_text_is_kept_and_saved(tmp_path: Path) -> None:
    data = tmp_path / f"d{BAD}.oc"
    with server_process("--quiet", "--data", str(data)):
        pass
    saved = subprocess.run(
        [sys.executable, "-m", "fake_server", "snapshot", "save", "x", "--data", str(data)],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (saved.returncode, saved.stderr) == (0, b"")
    assert b"d\\udce9.oc.snapshots" in saved.stdout
    assert sorted(each.name for each in tmp_path.iterdir()) == [data.name, f"{data.name}.snapshots"]
