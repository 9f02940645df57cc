"""One test, through every door of the fake."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import httpx
import pytest
import requests

from pytest_ocbulk import MakeOcBulk, OcBulk


class Answer(Protocol):
    """What `requests` and httpx have in common."""

    def json(self) -> dict[str, str]: ...


class Client(Protocol):
    """As above."""

    def get(self, url: str) -> Answer: ...

    def post(self, url: str, *, files: dict[str, bytes]) -> Answer: ...


def push(path: Path, base_url: str, client: Client) -> str:
    """Code under test that takes its HTTP client as an argument."""
    job = client.post(f"{base_url}/bulk/contact", files={"file": path.read_bytes()}).json()
    return client.get(f"{base_url}/bulk/{job['id']}/status").json()["status"]


@pytest.mark.parametrize("door", ["in-process", "server", "httpx"])
def test_contacts_arrive_through_every_door(make_ocbulk: MakeOcBulk, door: str) -> None:
    fake = make_ocbulk(server=door == "server")
    csv = fake.contacts(3)
    client: requests.Session | httpx.Client
    client = httpx.Client(transport=fake.httpx_transport()) if door == "httpx" else requests.Session()
    client.headers.update(fake.headers)
    with client:
        assert push(csv.path, fake.base_url, client) == "COMPLETE"
    fake.assert_uploaded("contact", csv.rows, key="C_EmailAddress")
    fake.assert_called("upload", times=1)


@pytest.mark.anyio
async def test_an_async_client(ocbulk: OcBulk) -> None:
    async with httpx.AsyncClient(transport=ocbulk.httpx_transport(), headers=ocbulk.headers) as client:
        objects = (await client.get(f"{ocbulk.base_url}/objects")).json()
    assert "contact" in objects


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_an_asgi_client(ocbulk: OcBulk) -> None:
    transport = httpx.ASGITransport(ocbulk.asgi)
    async with httpx.AsyncClient(transport=transport, headers=ocbulk.headers) as client:
        objects = (await client.get(f"{ocbulk.base_url}/objects")).json()
    assert "contact" in objects
