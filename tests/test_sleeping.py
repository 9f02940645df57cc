"""The clock that the code under test moves by sleeping."""

from __future__ import annotations

import asyncio
import queue
import sched
import selectors
import sys
import threading
import time
import types
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import asynccontextmanager, suppress
from math import inf
from typing import Any
from unittest import mock

import _pytest.timing
import aiohttp
import pytest
import requests

from pytest_ocbulk import OcBulk
from pytest_ocbulk.emulator.clock import EPOCH, Clock, ManualClock
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.emulator import Emulator
from pytest_ocbulk.emulator.errors import OcBulkError
from pytest_ocbulk.emulator.instances import Instance
from pytest_ocbulk.emulator.messages import Request, Response
from pytest_ocbulk.emulator.plans import JobPlan
from pytest_ocbulk.emulator.timeline import Timeline
from pytest_ocbulk.sleeping import DrivenClock, SleptTooLong, driving

from .patience import PATIENCE

REAL = types.SimpleNamespace(sleep=time.sleep, time=time.time, monotonic=time.monotonic)
"""The originals, held where a drive does not find them: as a global of this module they would be replaced."""
FORM = (
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    b"C_EmailAddress\na@example.com\r\n--B--\r\n"
)


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock(ManualClock())


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    emulator = Emulator()
    yield emulator
    emulator.close()


@pytest.fixture
def instance(emulator: Emulator) -> Instance:
    return emulator.create_instance(built_in("marketing"), token="T", user_secret="U")


def call(emulator: Emulator, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    given = {"authorization": "Element T, User U", **headers}
    answer = emulator.handle(Request.of(method, f"/elements/api-v2{path}", given, body))
    assert isinstance(answer, Response)
    assert answer.status == 200
    assert isinstance(answer.body, bytes)
    return answer.body


def upload(emulator: Emulator, **headers: str) -> None:
    call(
        emulator,
        "POST",
        "/bulk/contact",
        FORM,
        **{"content-type": "multipart/form-data; boundary=B", **headers},
    )


def plan(instance: Instance, timeline: str) -> None:
    instance.plans.queued.append(JobPlan(Timeline.parse(timeline)))


# -- moving by hand --------------------------------------------------------------------------------------


def test_the_clock_moves_when_it_is_told_to(clock: DrivenClock) -> None:
    clock.advance("1h30m")
    clock.advance(0.5)
    assert clock.elapsed == 5400.5
    assert clock.now == EPOCH + 5400.5
    assert repr(clock) == "<DrivenClock: 5400.5 s elapsed>"


def test_tenths_of_seconds_add_up(clock: DrivenClock) -> None:
    for _ in range(6000):
        clock.advance(0.1)
    assert clock.elapsed == pytest.approx(600, abs=1e-9)


def test_the_clock_does_not_run_backwards(clock: DrivenClock) -> None:
    with pytest.raises(OcBulkError, match=r"^a duration cannot be negative, got -1$"):
        clock.advance(-1)


def test_what_is_due_on_the_way_happens_at_its_instant(emulator: Emulator, instance: Instance) -> None:
    clock = DrivenClock(instance.clock, emulator)
    plan(instance, "CREATED 2s RUNNING 40s COMPLETE")
    upload(emulator)
    clock.advance("1h")
    (job,) = instance.jobs.values()
    assert [(event.status, event.at - EPOCH) for event in job.events] == [
        ("CREATED", 0),
        ("RUNNING", 2),
        ("COMPLETED", 42),
    ]


def test_callbacks_are_delivered_at_their_instant(emulator: Emulator, instance: Instance) -> None:
    delivered: list[tuple[str, float]] = []

    def deliver() -> None:
        delivered.extend((callback.job, moved.elapsed) for callback in emulator.take_callbacks())

    moved = DrivenClock(instance.clock, emulator, deliver)
    plan(instance, "CREATED 5s COMPLETE")
    plan(instance, "CREATED 3s COMPLETE")
    upload(emulator, **{"elements-async-callback-url": "http://127.0.0.1:1/"})
    upload(emulator, **{"elements-async-callback-url": "http://127.0.0.1:1/"})
    moved.advance("1m")
    assert delivered == [("1235", 3), ("1234", 5)]
    assert moved.elapsed == 60


def test_a_callback_that_nobody_delivers_does_not_hold_the_clock(
    emulator: Emulator, instance: Instance
) -> None:
    clock = DrivenClock(instance.clock, emulator)
    plan(instance, "CREATED 5s COMPLETE")
    upload(emulator, **{"elements-async-callback-url": "http://127.0.0.1:1/"})
    clock.advance("1m")
    assert clock.elapsed == 60


def test_a_clock_that_cannot_be_moved_is_refused() -> None:
    class SystemClock:
        def now(self) -> float:
            return 0.0

    clock: Clock = SystemClock()
    with pytest.raises(OcBulkError) as refusal:
        DrivenClock(clock)
    assert str(refusal.value) == (
        "only a ManualClock can be moved, this fake runs on SystemClock;"
        " ocbulk-server keeps the machine's time, the pytest fixtures have a clock that can be moved"
    )


# -- sleeping --------------------------------------------------------------------------------------------


def test_ten_minutes_of_polling_do_not_take_ten_minutes(emulator: Emulator, instance: Instance) -> None:
    clock = DrivenClock(instance.clock, emulator)
    plan(instance, "CREATED 2s RUNNING 10m COMPLETE")
    upload(emulator)
    began = REAL.monotonic()
    with clock.drives_sleep():
        deadline = time.monotonic() + 700
        while b"COMPLETE" not in call(emulator, "GET", "/bulk/1234/status"):
            assert time.monotonic() < deadline
            time.sleep(5)
    assert clock.elapsed == 605
    assert REAL.monotonic() - began < 60


def test_all_clocks_of_the_time_module_see_the_same_time(clock: DrivenClock) -> None:
    readings: list[Callable[[], float]] = [
        lambda: time.time(),
        lambda: time.monotonic(),
        lambda: time.perf_counter(),
        lambda: time.time_ns() / 1e9,
        lambda: time.monotonic_ns() / 1e9,
        lambda: time.perf_counter_ns() / 1e9,
    ]
    with clock.drives_sleep():
        before = [read() for read in readings]
        time.sleep(12.5)
        after = [read() for read in readings]
        assert time.time() == clock.now
    assert [late - early for early, late in zip(before, after, strict=True)] == pytest.approx([12.5] * 6)


def test_monotonic_time_does_not_run_backwards_into_the_block(clock: DrivenClock) -> None:
    before = time.monotonic()
    with clock.drives_sleep():
        assert time.monotonic() >= before


@pytest.mark.parametrize("wrong", [-1, "5", None])
def test_sleep_complains_as_ever(clock: DrivenClock, wrong: Any) -> None:
    complaints: list[str] = []
    for sleep in (REAL.sleep, None):
        with clock.drives_sleep(), pytest.raises((ValueError, TypeError)) as complaint:
            (sleep or time.sleep)(wrong)
        complaints.append(str(complaint.value))
    assert complaints[0] == complaints[1]
    assert clock.elapsed == 0


def module(source: str) -> types.ModuleType:
    made = types.ModuleType("code_under_test")
    exec(compile(source, "code_under_test", "exec", dont_inherit=True), vars(made))
    return made


@pytest.mark.parametrize(
    "source",
    [
        "from time import sleep\ndef run(): sleep(7)",
        "import time\nnap = time.sleep\ndef run(): nap(7)",
        "import time\ndef run(nap=time.sleep): nap(7)",
        "import time\ndef run(*, nap=time.sleep): nap(7)",
        "import time\nclass Poller:\n  def run(self, nap=time.sleep): nap(7)\ndef run(): Poller().run()",
        "import time\nclass Poller:\n  nap = time.sleep\ndef run(): Poller.nap(7)",
        "import time, dataclasses as d\n@d.dataclass\nclass P:\n  nap: object = time.sleep\ndef run(): P().nap(7)",
        "from asyncio import sleep, run as go\ndef run(): go(sleep(7))",
    ],
)
def test_code_that_took_the_function_before_is_driven_too(
    clock: DrivenClock, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    code = module(source)
    monkeypatch.setitem(sys.modules, "code_under_test", code)
    held = dict(vars(code))
    for _ in range(2):  # the second time from memory
        with clock.drives_sleep():
            code.run()
    assert clock.elapsed == 14
    assert vars(code) == held
    assert "driven" not in repr([getattr(each, "__defaults__", None) for each in vars(code).values()])


def test_a_module_that_took_the_place_of_another_is_looked_through(
    clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        code = module("from time import sleep\ndef run(): sleep(7)")
        monkeypatch.setitem(sys.modules, "code_under_test", code)
        with clock.drives_sleep():
            code.run()
        del code  # its address may be the next one's
    assert clock.elapsed == 21


def test_an_import_within_the_block_does_no_harm_afterwards(clock: DrivenClock) -> None:
    with clock.drives_sleep():
        code = module("from time import sleep, monotonic")
        code.sleep(3)
    code.sleep(0.001)
    assert clock.elapsed == 3
    assert code.monotonic() == pytest.approx(REAL.monotonic(), abs=1)


# -- its limits ------------------------------------------------------------------------------------------


def test_a_client_that_waits_for_ever_is_stopped(emulator: Emulator, instance: Instance) -> None:
    clock = DrivenClock(instance.clock, emulator)
    plan(instance, "CREATED 2s COMPLETE")
    upload(emulator)

    def wait_for_the_wrong_word() -> None:
        while b'"COMPLETED"' not in call(emulator, "GET", "/bulk/1234/status"):
            with suppress(Exception):  # such a client must not swallow it
                time.sleep(5)

    with clock.drives_sleep(at_most="1m"), pytest.raises(SleptTooLong) as stopped:
        wait_for_the_wrong_word()
    assert str(stopped.value) == (
        "The code under test waits until 1m5s after drives_sleep() began (13 sleeps so far), longer than 1m: it seems"
        " to wait for something that never comes. Job 1234 is COMPLETE since +2s, for 58s."
        " If it may take so long, allow it: drives_sleep(at_most='24h')"
    )
    assert clock.elapsed == 60


@pytest.mark.parametrize("length", [inf, 1e300])
def test_a_sleep_for_ever_is_stopped_as_well(clock: DrivenClock, length: float) -> None:
    with clock.drives_sleep(), pytest.raises(SleptTooLong) as stopped:
        time.sleep(length)
    assert str(stopped.value) == (
        "The code under test waits for ever (1 sleep so far), longer than 1h: it seems to wait for something that"
        " never comes. If it may take so long, allow it: drives_sleep(at_most='24h')"
    )
    assert clock.elapsed == 0


def test_others_go_on_while_a_thread_sleeps_for_ever(clock: DrivenClock) -> None:
    def sleep() -> None:
        with suppress(SleptTooLong):
            time.sleep(inf)

    @clock.drives_sleep()
    def main() -> None:
        sleeper = threading.Thread(target=sleep)
        sleeper.start()
        time.sleep(600)
        assert clock.elapsed == 600
        sleeper.join(PATIENCE)

    with pytest.raises(SleptTooLong):
        main()


def test_no_number_is_no_time_to_sleep(clock: DrivenClock) -> None:
    with clock.drives_sleep(), pytest.raises(ValueError, match="NaN"):
        time.sleep(float("nan"))


def test_a_block_that_nobody_enters_warns(clock: DrivenClock) -> None:
    with pytest.warns(RuntimeWarning) as warned:
        clock.drives_sleep()
    assert str(warned[0].message) == (
        "drives_sleep() alone drives nothing; write: with ocbulk.clock.drives_sleep(): ..."
    )
    assert warned[0].filename == __file__


def test_a_function_can_be_driven_as_a_whole(clock: DrivenClock) -> None:
    @clock.drives_sleep()
    def waits() -> None:
        time.sleep(5)

    waits()
    waits()
    assert clock.elapsed == 10


def test_a_stop_in_another_thread_comes_out_at_the_end_of_the_block(clock: DrivenClock) -> None:
    with pytest.raises(SleptTooLong), clock.drives_sleep(at_most="1m"), ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, 61)


@pytest.mark.parametrize("imported", [True, False], ids=["at once", "at its first use"])
@pytest.mark.parametrize(
    "name", ["time.sleep", "time.time", "time.monotonic", "time.perf_counter", "asyncio.sleep"]
)
def test_another_patch_of_time_is_refused(
    clock: DrivenClock, name: str, imported: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not imported:
        monkeypatch.delitem(sys.modules, "pytest_ocbulk.sleeping.patches", raising=False)
        monkeypatch.delattr("pytest_ocbulk.sleeping.patches", raising=False)
    with (
        mock.patch(name, "a mock") as other,
        pytest.raises(OcBulkError) as refusal,
        clock.drives_sleep(),
    ):
        pass
    assert str(refusal.value) == (
        f"drives_sleep() wants to replace {name}, but something else has done so already: {other!r};"
        " take that patch away (mock, monkeypatch, freezegun), the fake's clock does its work"
    )


def test_time_machine_is_refused(clock: DrivenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    hatch = types.SimpleNamespace(is_travelling=lambda: True)
    monkeypatch.setitem(sys.modules, "time_machine", types.SimpleNamespace(escape_hatch=hatch))
    with pytest.raises(OcBulkError) as refusal, clock.drives_sleep():
        pass
    assert str(refusal.value) == (
        "drives_sleep() and time_machine.travel() would both set the time; take one of them away"
    )


def test_a_patch_made_within_the_block_is_left_to_its_maker(
    clock: DrivenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", time.sleep)  # puts the original back: the mock puts back what it found
    patch = mock.patch("time.sleep")
    with clock.drives_sleep():
        patched = patch.start()
        time.sleep(5)
    assert time.sleep is patched
    patch.stop()
    time.sleep(0.001)
    assert clock.elapsed == 0


# -- everything is put back ------------------------------------------------------------------------------


def originals() -> list[object]:
    return [
        *(getattr(time, name) for name in ("sleep", "time", "monotonic", "perf_counter")),
        *(getattr(time, name) for name in ("time_ns", "monotonic_ns", "perf_counter_ns")),
        threading.Condition.wait,
        vars(threading)["_time"],
        vars(queue)["time"],
        vars(sched)["_time"],
        asyncio.sleep,
        asyncio.tasks.sleep,
        selectors.DefaultSelector.select,
    ]


@pytest.mark.parametrize("error", [None, KeyError, KeyboardInterrupt])
def test_everything_is_put_back(clock: DrivenClock, error: type[BaseException] | None) -> None:
    before = originals()
    try:
        with clock.drives_sleep():
            assert not any(new is old for new, old in zip(originals(), before, strict=True))
            if error is not None:
                raise error
    except BaseException as raised:
        assert type(raised) is error  # noqa: PT017
    assert originals() == before
    assert driving.drives == []


def test_blocks_of_one_clock_nest(clock: DrivenClock) -> None:
    before = originals()
    with clock.drives_sleep():
        with clock.drives_sleep():
            time.sleep(2)
        time.sleep(3)
    assert clock.elapsed == 5
    assert originals() == before


def test_blocks_of_two_clocks_move_both(clock: DrivenClock) -> None:
    inner = DrivenClock(ManualClock())
    inner.advance(100)
    with clock.drives_sleep():
        time.sleep(2)
        with inner.drives_sleep():
            time.sleep(3)
            assert time.time() == inner.now
        assert time.time() == clock.now
    assert (clock.elapsed, inner.elapsed) == (5, 103)


def test_pytest_keeps_the_machines_time(clock: DrivenClock) -> None:
    with clock.drives_sleep():
        assert _pytest.timing.sleep is REAL.sleep
        assert _pytest.timing.time is REAL.time
        duration = _pytest.timing.Instant()
        time.sleep(600)
        assert duration.elapsed().seconds < 60


# -- threads ---------------------------------------------------------------------------------------------


def test_threads_that_sleep_at_the_same_time_share_it(clock: DrivenClock) -> None:
    log: list[tuple[str, float]] = []

    def worker(name: str, pause: float) -> None:
        for _ in range(3):
            time.sleep(pause)
            log.append((name, clock.elapsed))

    with clock.drives_sleep():
        threads = [threading.Thread(target=worker, args=pair) for pair in (("slow", 2.5), ("fast", 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert log == [("fast", 1), ("fast", 2), ("slow", 2.5), ("fast", 3), ("slow", 5), ("slow", 7.5)]


def test_an_event_that_nobody_sets_times_out_on_the_clock(clock: DrivenClock) -> None:
    with clock.drives_sleep():
        assert not threading.Event().wait(600)
    assert clock.elapsed == 600


def test_an_event_that_is_set_wakes_its_waiter_at_that_instant(clock: DrivenClock) -> None:
    event = threading.Event()
    with clock.drives_sleep():
        timer = threading.Timer(42, event.set)
        timer.start()
        assert event.wait(600)
        assert clock.elapsed == 42
        timer.join()


def test_a_wait_without_timeout_lets_the_fake_go_on(emulator: Emulator, instance: Instance) -> None:
    called = threading.Event()

    def deliver() -> None:
        if emulator.take_callbacks():
            called.set()

    clock = DrivenClock(instance.clock, emulator, deliver)
    plan(instance, "CREATED 10m COMPLETE")
    with clock.drives_sleep():
        upload(emulator, **{"elements-async-callback-url": "http://127.0.0.1:1/"})
        assert called.wait()
    assert clock.elapsed == 600


def test_an_event_set_by_a_thread_of_before_is_heard(clock: DrivenClock) -> None:
    asked, answered = threading.Event(), threading.Event()

    def answer() -> None:
        asked.wait()
        answered.set()

    thread = threading.Thread(target=answer)
    thread.start()
    with clock.drives_sleep():
        asked.set()
        assert answered.wait(600)
    thread.join()


def test_a_thread_of_before_keeps_the_machines_time(clock: DrivenClock) -> None:
    go, seen = threading.Event(), queue.SimpleQueue[float]()

    def run() -> None:
        go.wait()
        time.sleep(0.001)
        seen.put(time.time())

    thread = threading.Thread(target=run)
    thread.start()
    with clock.drives_sleep():
        go.set()
        assert seen.get() == pytest.approx(REAL.time(), abs=5)
        thread.join()
    assert clock.elapsed == 0


def test_queues_semaphores_and_conditions_time_out_on_the_clock(clock: DrivenClock) -> None:
    with clock.drives_sleep():
        with pytest.raises(queue.Empty):
            queue.Queue[int]().get(timeout=10)
        assert not threading.Semaphore(0).acquire(timeout=20)
        condition = threading.Condition()
        with condition:
            assert not condition.wait_for(lambda: False, timeout=30)
        with pytest.raises(threading.BrokenBarrierError):
            threading.Barrier(2).wait(40)
    assert clock.elapsed == pytest.approx(100)


def test_waiting_for_a_condition_without_its_lock_is_still_an_error(clock: DrivenClock) -> None:
    with clock.drives_sleep(), pytest.raises(RuntimeError, match="cannot wait on un-acquired lock"):
        threading.Condition().wait(1)


def test_a_pool_of_threads_sleeps_in_parallel(clock: DrivenClock) -> None:
    with clock.drives_sleep(), ThreadPoolExecutor(2) as pool:
        done = list(as_completed([pool.submit(time.sleep, 10) for _ in range(4)], timeout=60))
        assert len(done) == 4
        assert clock.elapsed == 20


def test_a_future_times_out_on_the_clock(clock: DrivenClock) -> None:
    with clock.drives_sleep(), ThreadPoolExecutor(1) as pool:
        future = pool.submit(time.sleep, 100)
        with pytest.raises(TimeoutError):
            future.result(timeout=30)
        assert clock.elapsed == 30
    assert clock.elapsed == 100


# -- asyncio ---------------------------------------------------------------------------------------------


def test_tasks_that_sleep_at_the_same_time_share_it(clock: DrivenClock) -> None:
    log: list[tuple[float, float]] = []

    async def worker(pause: float) -> None:
        await asyncio.sleep(pause)
        log.append((pause, clock.elapsed))

    async def main() -> None:
        await asyncio.gather(worker(300), worker(100), worker(200))

    with clock.drives_sleep():
        asyncio.run(main())
    assert log == [(100, 100), (200, 200), (300, 300)]


def test_asyncio_deadlines_see_the_same_time(clock: DrivenClock) -> None:
    async def poll_for_ever() -> None:
        while True:  # noqa: ASYNC110  # that is what clients do
            await asyncio.sleep(7)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(poll_for_ever(), 600)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()

    with clock.drives_sleep():
        asyncio.run(main())
    assert clock.elapsed == pytest.approx(660)


def test_a_loop_that_ran_before_the_block_is_driven_within_it(clock: DrivenClock) -> None:
    async def main() -> bool:
        await asyncio.sleep(0.001)
        with clock.drives_sleep():
            assert await asyncio.sleep(600, "done") == "done"
        began = REAL.monotonic()
        await asyncio.sleep(0.001)
        return bool(REAL.monotonic() - began < PATIENCE)

    assert asyncio.run(main())
    assert clock.elapsed == pytest.approx(600)


def test_a_sleeping_thread_of_a_loop_moves_the_clock(clock: DrivenClock) -> None:
    async def main() -> None:
        await asyncio.to_thread(time.sleep, 600)

    with clock.drives_sleep():
        asyncio.run(main())
    assert clock.elapsed == 600


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server that sends every line back."""
    ended = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()
        await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    yield reader, writer
    writer.close()
    await writer.wait_closed()
    await ended.wait()
    server.close()


def test_sleeping_moves_the_clock_beside_an_open_connection(clock: DrivenClock) -> None:
    async def main() -> None:
        async with connection() as (reader, writer):
            for _ in range(3):
                writer.write(b"hello\n")
                assert await asyncio.wait_for(reader.readline(), 300) == b"hello\n"
                await asyncio.sleep(200)

    with clock.drives_sleep():
        asyncio.run(main())
    assert clock.elapsed == pytest.approx(600)


def test_a_deadline_alone_does_not_move_the_clock_beside_an_open_connection(clock: DrivenClock) -> None:
    async def main() -> None:
        async with connection() as (reader, _):
            began = REAL.monotonic()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readline(), 0.05)
            assert REAL.monotonic() - began > 0.04

    with clock.drives_sleep():
        asyncio.run(main())
    assert clock.elapsed == pytest.approx(0.05, abs=0.01)


def test_a_loop_that_waits_for_ever_is_stopped(clock: DrivenClock) -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110  # that is what clients do
            await asyncio.sleep(7)

    with clock.drives_sleep(at_most="1m"), pytest.raises(SleptTooLong):
        asyncio.run(main())
    assert clock.elapsed == pytest.approx(56)


# -- behind a socket ---------------------------------------------------------------------------------------


def test_a_client_of_a_real_port_is_driven(ocbulk_server: OcBulk) -> None:
    ocbulk_server.next_job("CREATED 2s RUNNING 10m COMPLETE")
    with ocbulk_server.clock.drives_sleep(), requests.Session() as session:
        session.headers.update(ocbulk_server.headers)
        url = f"{ocbulk_server.base_url}/bulk"
        session.post(f"{url}/contact", files={"file": ("a.csv", b"C_EmailAddress\na@example.com\n")})
        while session.get(f"{url}/1234/status").json()["status"] != "COMPLETE":
            time.sleep(5)
    assert ocbulk_server.clock.elapsed == 605


def test_an_asyncio_client_of_a_real_port_is_driven(ocbulk_server: OcBulk) -> None:
    ocbulk_server.next_job("CREATED 2s RUNNING 1m COMPLETE")

    async def main() -> None:
        form = aiohttp.FormData()
        form.add_field("file", b"C_EmailAddress\na@example.com\n", filename="a.csv")
        url = f"{ocbulk_server.base_url}/bulk"
        async with aiohttp.ClientSession(headers=ocbulk_server.headers) as session:
            await session.post(f"{url}/contact", data=form)
            for _ in range(100):
                if (await (await session.get(f"{url}/1234/status")).json())["status"] == "COMPLETE":
                    return
                await asyncio.sleep(5)

    with ocbulk_server.clock.drives_sleep():
        asyncio.run(main())
    assert ocbulk_server.clock.elapsed == pytest.approx(65)


def test_the_work_of_a_server_takes_no_time_on_the_clock(ocbulk_server: OcBulk) -> None:
    rows = b"C_EmailAddress\n" + b"".join(b"p%d@example.com\n" % number for number in range(30_000))
    ocbulk_server.next_job("CREATED 2s COMPLETE")
    with ocbulk_server.clock.drives_sleep(), requests.Session() as session:
        session.headers.update(ocbulk_server.headers)
        url = f"{ocbulk_server.base_url}/bulk"
        session.post(f"{url}/contact", files={"file": ("a.csv", rows)})
        while session.get(f"{url}/1234/status").json()["status"] != "COMPLETE":
            time.sleep(5)
    assert ocbulk_server.clock.elapsed <= 10


def test_a_loop_without_a_selector_is_refused(clock: DrivenClock) -> None:
    class ForeignLoop(asyncio.SelectorEventLoop):
        _selector = property(lambda self: self.__dict__.get("hidden"), lambda self, it: self._hide(it))

        def _hide(self, selector: Any) -> None:
            self.__dict__["hidden"] = selector

    async def main() -> None:
        loop = asyncio.get_running_loop()
        selector, loop.__dict__["hidden"] = loop.__dict__["hidden"], None
        try:
            with pytest.raises(OcBulkError) as refusal:
                await asyncio.sleep(5)
        finally:
            loop.__dict__["hidden"] = selector
        assert str(refusal.value) == (
            f"drives_sleep() cannot move the time of a {__name__}."
            "test_a_loop_without_a_selector_is_refused.<locals>.ForeignLoop;"
            " run the test on asyncio.SelectorEventLoop"
        )

    with clock.drives_sleep(), asyncio.Runner(loop_factory=ForeignLoop) as runner:
        runner.run(main())
