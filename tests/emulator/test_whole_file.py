"""A file comes into its place as a whole or not at all, and nothing but a file is ever replaced."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.whole_file import PRIVATE, other_kind, place_of, replacing, written


def socket_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


OTHERS: dict[str, Callable[[Path], None]] = {
    "a folder": Path.mkdir,
    "a FIFO": os.mkfifo,
    "a socket": socket_at,
    "a device": lambda path: path.symlink_to("/dev/null"),
}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("behind_a_link", [False, True])
def test_what_is_no_file_is_refused_and_left_as_it_is(
    kind: str, behind_a_link: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket may have 108 bytes only
    path = Path("there")
    OTHERS[kind](path)
    if behind_a_link:
        Path("link").symlink_to(path)
        path = Path("link")
    before = path.lstat()
    with pytest.raises(OcBulkError) as refused, replacing(path):
        pass
    assert str(refused.value) == (
        f"{path}: expected a file, got {kind}; it was left as it is; choose another name"
    )
    assert other_kind(path) == kind
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    for content in (b"made", b"replaced"):
        with written(link) as file:
            file.write(content)
        assert link.is_symlink()
        assert target.read_bytes() == content
    assert place_of(link) == target.resolve()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "target"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_file_keeps_its_mode(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.touch()
    path.chmod(mode)
    with replacing(path, PRIVATE) as made:
        made.write_bytes(b"new")
    assert (path.read_bytes(), mode_of(path)) == (b"new", mode)


def test_a_new_file_is_private_where_that_is_asked_for(tmp_path: Path) -> None:
    with replacing(tmp_path / "secrets", PRIVATE) as made:
        assert mode_of(made) == 0o600
    assert mode_of(tmp_path / "secrets") == 0o600
    with written(tmp_path / "rows"):
        pass
    (tmp_path / "usual").touch()
    assert mode_of(tmp_path / "rows") == mode_of(tmp_path / "usual")


def test_a_block_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_bytes(b"old")

    def fail() -> None:
        with written(path) as file:
            file.write(b"half of the new")
            raise ValueError("the other half did not come")

    with pytest.raises(ValueError, match="the other half"):
        fail()
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    assert path.read_bytes() == b"old"


def test_a_device_is_written_to(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    with written(link) as stream:
        stream.write(b"into nothing")
    assert stat.S_ISCHR(link.stat().st_mode)
    assert list(tmp_path.iterdir()) == [link]
