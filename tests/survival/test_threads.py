"""One emulator, used by test, request threads, a worker, a clock and a deliverer at once."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..patience import PATIENCE
from .lives import Lives, contacts, lives

ROUNDS = 20
BIG = 100


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns a hundred times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    yield
    sys.setswitchinterval(before)


class Crowd:
    """Threads that do their things over and over until told to stop; the first thing that goes wrong is kept."""

    def __init__(self, living: Lives) -> None:
        self.living = living
        self.wrong: list[BaseException] = []
        self.done: dict[str, int] = {}
        self.jobs: list[tuple[str, int, int]] = []  # id, rows, of them bad
        self.callbacks = 0
        self._enough, self._stopped = threading.Event(), threading.Event()
        self._numbers = 0
        self._lock = threading.Lock()

    def run(self, *acts: tuple[Callable[[random.Random], None], int]) -> None:
        """Run each act in so many threads until each was done so many times."""
        self.done = {act.__name__: 0 for act, _ in acts}
        threads = [
            threading.Thread(
                target=self._repeat, args=(act, random.Random(number)), name=act.__name__, daemon=True
            )
            for act, count in acts
            for number in range(count)
        ]
        for thread in threads:
            thread.start()
        enough = self._enough.wait(4 * PATIENCE)
        self._stopped.set()
        for thread in threads:
            thread.join(PATIENCE)
        stuck = [thread.name for thread in threads if thread.is_alive()]
        assert stuck == [], "deadlock"
        if self.wrong:
            raise self.wrong[0]
        assert enough, self.done

    def _repeat(self, act: Callable[[random.Random], None], chance: random.Random) -> None:
        try:
            while not self._stopped.is_set():
                act(chance)
                with self._lock:
                    self.done[act.__name__] += 1
                    if min(self.done.values()) >= ROUNDS:
                        self._enough.set()
        except BaseException as error:  # told by the main thread
            self.wrong.append(error)
            self._enough.set()

    def number(self) -> int:
        with self._lock:
            self._numbers += 1
            return self._numbers

    # -- what the threads do

    def upload(self, chance: random.Random) -> None:
        first = self.number() * 10_000
        rows = chance.choice((1, 3, 40, 2500))
        bad = chance.random() < 0.3
        file = contacts(first, first + rows - 1, wide=BIG if rows > 100 else 0) + ",bad,row\n" * bad
        job = self.living.upload("contact", file, callback="http://127.0.0.1:9/done")
        with self._lock:
            self.jobs.append((job, rows + bad, int(bad)))

    def poll(self, chance: random.Random) -> None:
        if self.jobs:
            job, rows, bad = chance.choice(self.jobs)
            body = self.living.get(f"/bulk/{job}/status")
            assert body["recordsFailedCount"] <= bad
            assert body["recordsCount"] <= rows
            if body["status"] == "COMPLETE":
                assert (body["recordsCount"], body["recordsFailedCount"]) == (rows, bad)
                assert len(self.living.get(f"/bulk/{job}/errors")) == bad

    def list_records(self, chance: random.Random) -> None:
        page = self.living.get(f"/contact?pageSize=50&page={chance.randint(1, 5)}")
        addresses = [record["C_EmailAddress"] for record in page]
        assert len(set(addresses)) == len(addresses)

    def query(self, chance: random.Random) -> None:
        job = self.living.ask("POST", "/bulk/query?q=select%20C_EmailAddress%20from%20contact%20limit%20500")[
            1
        ]["id"]
        self.living.clock.advance(2)
        self.living.get(f"/bulk/{job}/status")
        text = self.living.get(f"/bulk/{job}/contact")  # streamed: the lock is taken block by block
        assert len(set(text.splitlines())) == len(text.splitlines())

    def work(self, _: random.Random) -> None:
        if not self.living.emulator.work():
            self._stopped.wait(0.0005)

    def let_time_pass(self, _: random.Random) -> None:
        self.living.clock.advance("200ms")
        self.living.emulator.tick()
        self.living.emulator.next_due()
        self._stopped.wait(0.001)

    def deliver(self, _: random.Random) -> None:
        for callback in self.living.emulator.take_callbacks():
            self.living.emulator.callback_tried(callback, "delivered", status=200)
            self.callbacks += 1
        self._stopped.wait(0.0005)

    def come_and_go(self, _: random.Random) -> None:
        status, made = self.living.ask("POST", "/instances", {"element": {"key": "marketing"}})
        assert status == 200
        self.living.ask("POST", "/contact", {"C_EmailAddress": "a@example.com"}, token=made["token"])
        assert self.living.ask("DELETE", f"/instances/{made['id']}")[0] == 200
        assert self.living.ask("GET", "/contact", token=made["token"])[0] == 401


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("kept", [False, True], ids=["in memory", "on a data file"])
def test_every_invariant_holds_whoever_uses_the_emulator(kept: bool, tmp_path: Path) -> None:
    with lives(tmp_path if kept else None) as living:
        living.instance.plans.next_job("CREATED 1s RUNNING 1s COMPLETE", times=100_000)
        crowd = Crowd(living)
        crowd.run(
            (crowd.upload, 2),
            (crowd.poll, 2),
            (crowd.list_records, 1),
            (crowd.query, 1),
            (crowd.work, 1),
            (crowd.let_time_pass, 1),
            (crowd.deliver, 1),
            (crowd.come_and_go, 1),
        )
        check_the_end(crowd)
        if kept:
            before = [living.get(f"/bulk/{job}/status") for job, _, _ in crowd.jobs]
            living.die()
            assert [living.get(f"/bulk/{job}/status") for job, _, _ in crowd.jobs] == before


def check_the_end(crowd: Crowd) -> None:
    """All jobs end with all their rows; each was told of once; nothing is left over."""
    living = crowd.living
    for _ in range(1000):
        living.clock.advance(5)
        living.emulator.tick()
        while living.emulator.work():
            pass
        if not living.instance.running:
            break
    crowd.deliver(random.Random(0))
    good = 0
    for job, rows, bad in crowd.jobs:
        body = living.get(f"/bulk/{job}/status")
        assert (body["status"], body["recordsCount"], body["recordsFailedCount"]) == ("COMPLETE", rows, bad)
        good += rows - bad
    shape = living.instance.shape("contact")
    assert shape is not None
    assert living.emulator.store.collection(living.instance.id, "contact", shape).count() == good
    assert crowd.callbacks == len(crowd.jobs)
    assert len(list(living.emulator.instances)) == 1
    assert not living.emulator.has_callbacks
    assert living.emulator.next_due() is None
