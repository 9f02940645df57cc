"""The real server is killed at random moments under load; `make survive` does it hundreds of times."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from .calling import Broken, Receiver
from .crashing import Crashing
from .promises import Sent

KILLS = 6


@pytest.mark.parametrize("turn", [1, 2])
def test_nothing_that_was_answered_is_lost_when_the_server_is_killed(turn: int, tmp_path: Path) -> None:
    seed = int(os.environ.get("OCBULK_SEED") or random.randrange(2**32))
    print(f"OCBULK_SEED={seed}")  # noqa: T201  # shown when it fails, to do the same again
    figures = Crashing(tmp_path, seed, largest=4000).run(KILLS)
    assert figures.kills >= KILLS
    assert figures.uploads_answered > 0
    assert figures.broken == 0
    assert (tmp_path / "stderr.txt").read_text() == ""


def lose_a_record(db: sqlite3.Connection, sent: Sent) -> None:
    for (number,) in db.execute("SELECT id FROM collections WHERE name = 'contact'").fetchall():
        for sequence, *values in db.execute(f"SELECT * FROM records_{number}"):
            if sent.tag in values:
                db.execute(f"DELETE FROM records_{number} WHERE _seq = ?", (sequence,))
                return
    raise AssertionError(f"there is no record of {sent}")


def lose_the_job(db: sqlite3.Connection, sent: Sent) -> None:
    db.execute("DELETE FROM jobs WHERE id = ?", (sent.job,))


@pytest.mark.parametrize(
    ("lose", "said"), [(lose_a_record, "expected .* records, got"), (lose_the_job, "was answered CREATED")]
)
def test_what_is_lost_is_found(
    lose: Callable[[sqlite3.Connection, Sent], None], said: str, tmp_path: Path
) -> None:
    """The same checks on a file from which something was taken by hand."""
    crashing = Crashing(tmp_path, 1, largest=30)
    good: list[Sent] = []
    while not good:
        crashing.run(crashing.figures.kills + 1)
        good = [sent for sent in crashing.promises.uploads if sent.job and sent.good]
    with closing(sqlite3.connect(crashing.data)) as db:
        lose(db, good[0])
        db.commit()
    for sent in crashing.promises.uploads:
        sent.verified = False
    receiver = Receiver()
    try:
        with pytest.raises(Broken, match=f"^{good[0].tag}:? {said}"):
            crashing.settle(receiver)
    finally:
        receiver.close()
