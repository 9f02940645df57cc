"""The real server is killed at random moments under load; `make survive` does it hundreds of times."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .calling import Broken, Receiver
from .crashing import Crashing

KILLS = 12


def test_nothing_that_was_answered_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    seed = int(os.environ.get("OCBULK_SEED") or random.randrange(2**32))
    print(f"OCBULK_SEED={seed}")  # noqa: T201  # shown when it fails, to do the same again
    figures = Crashing(tmp_path, seed, largest=4000).run(KILLS)
    assert figures.kills == KILLS
    assert figures.uploads_answered > KILLS
    assert figures.broken == 0
    assert (tmp_path / "stderr.txt").read_text() == ""


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("DELETE FROM records_1 WHERE _seq = (SELECT max(_seq) FROM records_1)", "expected"),
        ("DELETE FROM jobs WHERE number = 1", "was answered CREATED"),
    ],
)
def test_what_is_lost_is_found(damage: str, said: str, tmp_path: Path) -> None:
    """The same checks on a file from which something was taken by hand."""
    crashing = Crashing(tmp_path, 1, largest=30)
    crashing.run(1)
    with closing(sqlite3.connect(crashing.data)) as db:
        db.execute(damage)
        db.commit()
    for sent in crashing.promises.uploads:
        sent.verified = False
    receiver = Receiver()
    try:
        with pytest.raises(Broken, match=said):
            crashing.settle(receiver)
    finally:
        receiver.close()
