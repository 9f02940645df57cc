"""A target: a place that cases are run against, the fake behind some door or a real account."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from pytest_ocbulk.client import BulkClient

from .receiving import Mailbox
from .settings import ContractSettings

PATIENCE = 120.0
"""Seconds that one answer is waited for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; header names in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON; raises `ValueError` if it is none."""
        return json.loads(self.body)

    @property
    def keys(self) -> list[str]:
        """The keys of a JSON object, sorted; empty for anything else."""
        try:
            body = self.json()
        except ValueError:
            return []
        return sorted(body) if isinstance(body, dict) else []


@dataclass(slots=True)
class Target:
    """Where cases are run. `name` is for people; `secrets` are the pairs of the Authorization header.

    `sleep` and `clock` are the target's own time, in seconds. `mailbox` collects callbacks where they can arrive.
    `run` marks everything that this run makes; `calls` and `rows` count what it has cost so far.
    """

    name: str
    base_url: str
    secrets: Mapping[str, str] = field(repr=False)
    settings: ContractSettings
    session: requests.Session = field(default_factory=requests.Session, repr=False)
    sleep: Callable[[float], None] | None = None
    clock: Callable[[], float] | None = None
    mailbox: Mailbox | None = None
    signature_key: str = field(default="", repr=False)
    is_fake: bool = False
    readonly: bool = False
    calls: int = 0
    rows: int = 0
    run: str = field(default_factory=lambda: f"ocb{secrets.token_hex(4)}")
    _first_number: int = field(default_factory=lambda: 10_000_000 + secrets.randbelow(80_000_000), repr=False)

    def __post_init__(self) -> None:
        self.session.hooks["response"].append(self._count)

    def _count(self, response: requests.Response, *_: Any, **__: Any) -> requests.Response:
        self.calls += 1
        return response

    def client(self) -> BulkClient:
        """A client of the target."""
        return BulkClient(
            self.base_url,
            element_token=self.secrets["Element"],
            user_secret=self.secrets["User"],
            organization_secret=self.secrets.get("Organization"),
            session=self.session,
            clock=self.clock,
            sleep=self.sleep,
        )

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> Answer:
        """Make one call as it is, `path` below the base URL; a header that is empty is left out."""
        given = {
            "Authorization": authorization(self.secrets),
            "Accept": "application/json",
            **(headers or {}),
        }
        response = self.session.request(
            method,
            self.base_url + path,
            headers={name: value or None for name, value in given.items()},
            auth=_as_given,
            timeout=PATIENCE,
            allow_redirects=False,
            **options,
        )
        return Answer(response.status_code, response.headers, response.content)

    def pause(self, seconds: float) -> None:
        """Let the target's time pass."""
        (self.sleep or time.sleep)(seconds)

    def key_value(self) -> str:
        """A value of the key field that no record has yet."""
        self.rows += 1
        number = self._first_number + self.rows
        return self.settings.key_value.format(run=self.run, n=self.rows, number=number)


def authorization(pairs: Mapping[str, str]) -> str:
    """The Authorization header (protocol.md 2.1)."""
    return ", ".join(f"{scheme} {secret}" for scheme, secret in pairs.items() if secret)


def _as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No authentication but our own header: requests would put an entry of `.netrc` in its place."""
    return request
