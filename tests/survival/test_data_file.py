"""The data file: refused when it is not sound, untouched then, used by one server at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pytest_ocbulk.emulator import data_file
from pytest_ocbulk.emulator.connectors import built_in, load
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.store import Store

from .lives import Lives, contacts, lives

OWN = 'key = "own"\nname = "Own"\nhub = "general"\n[objects.things.fields.{key}]\nunique = {unique}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A data file with some contacts, closed in good order."""
    with lives(tmp_path) as living:
        living.finish(living.upload("contact", contacts(1, 2000)))
        return Path(living.path)


def refusal(path: Path) -> str:
    """Why an emulator does not go on from a file, which is the same afterwards, byte for byte."""
    before = path.read_bytes()
    with pytest.raises(OcBulkError) as refused:
        Emulator(store=Store(str(path)))
    assert path.read_bytes() == before
    return str(refused.value).replace(f"{path}: ", "", 1)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {data_file.VERSION + 1}")


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE somebody (else_s)")


def text(path: Path) -> None:
    path.write_text("id,name\n1,somebody's notes\n" * 100)


def damaged(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(5 * 4096)
        file.write(b"\xff" * 4096)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            newer,
            (
                "written by a newer pytest-ocbulk (data format 2, this one knows 1); it was left as it is;"
                " update pytest-ocbulk or choose another file"
            ),
        ),
        (foreign, "not a data file of ocbulk-server; it was left as it is; choose another file"),
        (text, "not a data file of ocbulk-server; it was left as it is; choose another file"),
    ],
)
def test_a_file_that_is_not_ours_to_read_is_refused_and_left_as_it_is(
    spoil: Callable[[Path], None], said: str, path: Path
) -> None:
    spoil(path)
    assert refusal(path) == said


def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path) -> None:
    damaged(path)
    said = refusal(path)
    assert said.startswith("damaged (")
    assert said.endswith("); it was left as it is; load a snapshot or choose another file")


def test_a_file_cut_short_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: 9 * 4096])
    assert refusal(path).startswith("damaged (")


def test_the_log_of_a_process_that_was_killed_is_left_as_it_is_too(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        living.finish(living.upload("contact", contacts(1, 100)))
        living.die()
        path = Path(living.path)
        copied = path.with_name("copied")
        for end in ("", "-wal"):
            Path(f"{copied}{end}").write_bytes(Path(f"{path}{end}").read_bytes())
    log = Path(f"{copied}-wal").read_bytes()
    assert log
    data_file.check(str(copied))
    assert Path(f"{copied}-wal").read_bytes() == log


@pytest.mark.parametrize("place", ["none/x.ocbulk", "."])
def test_a_place_where_no_file_can_be_is_refused_in_one_line(place: str, tmp_path: Path) -> None:
    with pytest.raises(
        OcBulkError, match=r"(cannot be used as a data file|\.ocbulk|a folder, not a file)[:;] "
    ):
        Emulator(store=Store(str(tmp_path / place)))


def test_an_empty_file_becomes_a_data_file(tmp_path: Path) -> None:
    path = tmp_path / "made-by-mktemp"
    path.touch()
    Emulator(store=Store(str(path))).close()
    data_file.check(str(path))


def test_a_second_emulator_on_the_file_is_refused(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        with pytest.raises(OcBulkError) as refused:
            Emulator(store=Store(living.path))
        assert str(refused.value) == (
            f"{living.path}: in use by another ocbulk-server; stop that one or choose another file"
        )
        assert living.finish(living.upload("contact", contacts(1, 2)))["recordsCount"] == 2
    Emulator(store=Store(living.path)).close()


def test_an_instance_of_a_connector_that_is_not_known_any_more_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN.format(key="name", unique="true"))
    own = load(tmp_path / "own.toml")
    with lives(tmp_path, "own", connectors={"own": own}) as living:
        living.finish(living.upload("things", "name\na\n"))
    with pytest.raises(OcBulkError) as refused:
        Emulator(store=Store(living.path))
    assert str(refused.value) == (
        f"{living.path}: holds an instance of connector 'own', which is not known here;"
        " start with --connector and the file of 'own', or choose another data file"
    )
    Emulator(store=Store(living.path), connectors={"own": own}).close()


def test_a_connector_with_other_unique_fields_than_then_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN.format(key="name", unique="true"))
    with lives(tmp_path, "own", connectors={"own": load(path)}) as living:
        living.finish(living.upload("things", "name\na\n"))
    path.write_text(OWN.format(key="name", unique="false"))
    with pytest.raises(OcBulkError) as refused:
        Emulator(store=Store(living.path), connectors={"own": load(path)})
    assert str(refused.value) == (
        f"{living.path}: the records of things were written with another key or other unique fields;"
        " use the connector file of then, or choose another data file"
    )


def test_a_field_that_was_declared_since_is_there(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN.format(key="name", unique="true"))
    with lives(tmp_path, "own", connectors={"own": load(path)}) as living:
        living.finish(living.upload("things", "name\na\n"))
        path.write_text(
            OWN.format(key="name", unique="true") + "[objects.things.fields.size]\ntype = 'integer'\n"
        )
        living.connectors = {"own": load(path)}
        living.die()
        living.finish(living.upload("things", "name,size\nb,3\n"))
        assert [each.get("size") for each in living.get("/things")] == [None, 3]


# -- a disk that is full


def full(living: Lives) -> None:
    """Let the file grow no more."""
    db = living.emulator.store.db
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages}")


def test_a_disk_that_is_full_ends_all_answers_and_loses_none(tmp_path: Path) -> None:
    with lives(tmp_path) as living:
        kept = living.upload("contact", contacts(1, 3))
        full(living)
        status, body = 200, {}
        for number in range(50):
            if status == 200:
                file = contacts(number * 1000 + 10, number * 1000 + 500)
                status, body = living.ask("POST", "/bulk/contact", *_upload(file))
        assert (status, body["message"]) == (
            500,
            "The fake can no longer write its data file; what was answered before is in it",
        )
        assert living.emulator.ledger.failure == (
            f"{living.path}: can no longer be written (database or disk is full); what was answered until now is in it."
            " Make room and start the server again"
        )
        assert living.ask("GET", "/objects")[0] == 500
        living.die()
        assert living.finish(kept)["recordsCount"] == 3
        assert living.ask("GET", "/objects")[0] == 200


def _upload(file: str) -> tuple[bytes]:
    return (b'--B\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + file.encode() + b"\r\n--B--\r\n",)


# -- what a temporary store pays for all this


def test_a_temporary_store_opens_no_database_before_the_first_record() -> None:
    emulator = Emulator()
    instance = emulator.create_instance(built_in("marketing"))
    assert emulator.store._connection is None  # that nothing happens is seen nowhere else
    emulator.close_instance(instance)
    assert emulator.store._connection is None
