"""The examples of docs/time.md; each block of the page is a part of this file."""

from __future__ import annotations

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from pytest_ocbulk import OcBulk, SleptTooLong
from pytest_ocbulk.emulator.jobs import KNOWN

PAGE = Path(__file__).parent.parent.parent / "docs" / "time.md"

pytestmark = pytest.mark.ocbulk(allow="client_warning")

CSV = "C_EmailAddress,C_FirstName\nann@example.com,Ann\nbob@example.com,Bob\n"


def upload(fake: OcBulk) -> str:
    """Code under test: upload, and say which job it is."""
    files = {"file": ("a.csv", CSV)}
    answer = requests.post(f"{fake.base_url}/bulk/contact", headers=fake.headers, files=files, timeout=5)
    return str(answer.json()["id"])


def job_status(fake: OcBulk, job: str) -> str:
    """Code under test: how far a job is."""
    answer = requests.get(f"{fake.base_url}/bulk/{job}/status", headers=fake.headers, timeout=5)
    return str(answer.json()["status"])


# --- the page begins here


def test_a_job_takes_its_time(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED 2s RUNNING 40s COMPLETE")
    job = upload(ocbulk)

    assert job_status(ocbulk, job) == "CREATED"
    ocbulk.clock.advance("2s")
    assert job_status(ocbulk, job) == "RUNNING"
    ocbulk.clock.advance("1m")
    assert job_status(ocbulk, job) == "COMPLETE"
    assert ocbulk.jobs[job].history == [("CREATED", 0), ("RUNNING", 2), ("COMPLETE", 42)]


def test_ten_minutes_of_polling_take_milliseconds(ocbulk: OcBulk) -> None:
    ocbulk.next_job("CREATED 2s RUNNING 10m COMPLETE")
    with ocbulk.clock.drives_sleep():
        job = upload(ocbulk)
        deadline = time.monotonic() + 3600
        while job_status(ocbulk, job) != "COMPLETE":
            assert time.monotonic() < deadline
            time.sleep(5)
    assert ocbulk.clock.elapsed == 605


def test_threads_share_the_time(ocbulk: OcBulk) -> None:
    with ocbulk.clock.drives_sleep(), ThreadPoolExecutor(3) as pool:
        list(pool.map(time.sleep, [10, 10, 10]))
        assert ocbulk.clock.elapsed == 10


def test_asyncio_shares_it_too(ocbulk: OcBulk) -> None:
    async def main() -> None:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(3600), timeout=600)
        await asyncio.gather(asyncio.sleep(30), asyncio.sleep(20))
        assert time.monotonic() - began == pytest.approx(630)

    with ocbulk.clock.drives_sleep():
        asyncio.run(main())
    assert ocbulk.clock.elapsed == pytest.approx(630)


def test_a_client_that_knows_one_spelling_only(ocbulk: OcBulk) -> None:
    def wait_for_completed(job: str) -> None:
        while job_status(ocbulk, job) != "COMPLETED":
            time.sleep(5)

    with ocbulk.clock.drives_sleep(at_most="2m"), pytest.raises(SleptTooLong, match="1234 is COMPLETE"):
        wait_for_completed(upload(ocbulk))


# --- the page ends here


TABLE = re.search("<!-- timelines -->\n(.*?)<!-- end -->", PAGE.read_text(), re.DOTALL)
TIMELINES = [
    (cells[0].strip("`"), re.findall("`(.*?)`", cells[1]))
    for line in (TABLE[1] if TABLE else "").splitlines()[2:]
    if (cells := [cell.strip() for cell in line.strip("|").split("|")])
]


@pytest.mark.parametrize(("timeline", "shown"), TIMELINES, ids=[line for line, _ in TIMELINES])
@pytest.mark.ocbulk(allow="unfinished_job")
def test_a_timeline_goes_as_the_page_says(ocbulk: OcBulk, timeline: str, shown: list[str]) -> None:
    ocbulk.next_job(timeline)
    job = upload(ocbulk)
    assert ocbulk.requests[-1].answer.count(b'"status": "CREATED"') == 1
    seen = []
    for _ in shown:
        seen.append(job_status(ocbulk, job))
        ocbulk.clock.advance("1s")
    assert seen == shown


def test_the_page_names_every_status(ocbulk: OcBulk) -> None:
    assert len(TIMELINES) == 8
    assert [word for word in KNOWN if f"`{word}`" not in PAGE.read_text()] == []


def test_every_block_of_the_page_is_run_here() -> None:
    blocks = [block.partition("```")[0] for block in PAGE.read_text().split("```python\n")[1:]]
    run = Path(__file__).read_text().partition("# --- the page begins here")[2]
    assert len(blocks) >= 5
    assert [block for block in blocks if block not in run] == []
