"""The place that `--data` names: what is there and no file stays, links lead on, nobody else may read it, no litter."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from unittest import mock

import pytest

from fake_server.snapshots import load, save
from pytest_ocbulk.emulator import data_file
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.store import Store

from .lives import contacts, lives


def made(path: Path) -> Path:
    """An emulator's data file at that path."""
    Emulator(store=Store(str(path))).close()
    data_file.check(str(path))
    return path


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_fifo_is_refused_and_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    said = f"{path}: expected a file, got a FIFO; it was left as it is; choose another name"
    for use in (
        made,
        lambda each: save(str(each), "x"),
        lambda each: data_file.replace(str(each), str(each)),
    ):
        with pytest.raises(OcBulkError) as refused:
            use(path)
        assert str(refused.value) == said
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_device_behind_a_link_is_refused_and_the_link_stays(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    with pytest.raises(OcBulkError) as refused:
        made(link)
    assert str(refused.value) == (
        f"{link}: expected a file, got a device; it was left as it is; choose another name"
    )
    assert link.readlink() == Path("/dev/null")


@pytest.mark.parametrize("there", [True, False])
def test_a_link_leads_to_the_data_file(there: bool, tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    if there:
        target.touch()
    made(link)
    assert link.is_symlink()
    made(target)
    assert names(tmp_path) == ["link", "target"]


def test_an_empty_file_keeps_its_mode_and_a_new_one_is_for_its_owner(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    empty.chmod(0o640)
    assert mode_of(made(empty)) == 0o640
    new = made(tmp_path / "new")
    assert mode_of(new) == 0o600
    assert mode_of(save(str(new), "kept")) == 0o600


def test_what_a_killed_server_left_beside_a_file_that_is_gone_does_not_come_back(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.finish(living.upload("contact", contacts(1, 100)))
        path = Path(living.path)
        log = Path(f"{path}-wal").read_bytes()
    path.unlink()
    Path(f"{path}-wal").write_bytes(log)
    emulator = Emulator(store=Store(str(path)))
    assert emulator.instances.get(living.token) is None
    emulator.close()
    data_file.check(str(path))


def test_nothing_lies_beside_a_data_file_after_a_good_end(tmp_path: Path) -> None:
    path = made(tmp_path / "data")
    made(path)
    save(str(path), "kept")
    load(str(path), "kept")
    made(path)
    assert names(tmp_path) == ["data", "data.snapshots"]
    assert names(tmp_path / "data.snapshots") == ["kept.ocbulk"]


def test_nothing_lies_beside_a_file_that_was_refused(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.finish(living.upload("contact", contacts(1, 100)))
        living.die()
        path, refused = Path(living.path), tmp_path / "refused"
        for end in ("", "-wal"):
            Path(f"{refused}{end}").write_bytes(Path(f"{path}{end}").read_bytes())
        with mock.patch.object(data_file, "VERSION", 0), pytest.raises(OcBulkError, match="newer"):
            made(refused)
    assert [each for each in names(tmp_path) if each.startswith("refused")] == ["refused", "refused-wal"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none" / "data"
    with pytest.raises(OcBulkError) as refused:
        made(path)
    assert str(refused.value) == (f"{path}: there is no folder {path.parent}; make it or choose another file")


def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = made(tmp_path / "data")
    may = os.access
    with (
        mock.patch("os.access", lambda each, mode: each != path and may(each, mode)),  # root may everything
        pytest.raises(OcBulkError) as refused,
    ):
        made(path)
    assert str(refused.value) == (
        f"{path}: expected a file and a folder that can be read and written, got no permission for {path};"
        " change its mode or choose another file"
    )


def test_a_name_that_is_no_text_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"d\xe9.oc")
    made(path)
    assert names(tmp_path) == [path.name]
