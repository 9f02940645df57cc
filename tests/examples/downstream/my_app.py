"""Pushes contacts into a marketing system by way of Open Connectors: code as a team writes it, with plain `requests`.

It knows nothing of tests. Where the service is and which secrets it takes stands in the environment.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import requests

POLL = 5.0
PATIENCE = 1800.0
ENDED = {"COMPLETE", "COMPLETED", "SUCCESS", "WARNING", "ABORTED", "ERROR", "CANCELLED", "CANCELED"}


class PushFailed(Exception):
    """The contacts are not, or not all, where they should be."""


class Service:
    """The calls that are needed."""

    def __init__(self, base_url: str | None = None) -> None:
        self.base_url = base_url or os.environ["OPEN_CONNECTORS_BASE_URL"]
        self.session = requests.Session()
        user, token = os.environ["OPEN_CONNECTORS_USER_SECRET"], os.environ["OPEN_CONNECTORS_ELEMENT_TOKEN"]
        self.session.headers["Authorization"] = f"User {user}, Element {token}"

    def get(self, path: str) -> Any:
        answer = self.session.get(f"{self.base_url}/{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def upload(self, path: Path, callback: str | None = None) -> str:
        """Upload a file of contacts, once: after a lost answer its job is looked for instead of sending it again."""
        known = self.uploads()
        headers = {"Elements-Async-Callback-Url": callback} if callback else {}
        try:
            with path.open("rb") as file:
                answer = self.session.post(
                    f"{self.base_url}/bulk/contact", files={"file": file}, headers=headers, timeout=30
                )
            answer.raise_for_status()
            return str(answer.json()["id"])
        except requests.ConnectionError:
            found = self.uploads() - known
            if len(found) != 1:
                raise
            return found.pop()

    def uploads(self) -> set[str]:
        jobs = self.get("bulk/jobs")
        return {
            str(job["id"])
            for job in jobs
            if (job["object_name"], job["job_direction"]) == ("contact", "UPLOAD")
        }

    def wait(self, job: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while True:
            status: dict[str, Any] = self.get(f"bulk/{job}/status")
            if status["status"] in ENDED:
                return status
            if time.monotonic() + POLL > deadline:
                raise PushFailed(f"job {job} is still {status['status']}")
            time.sleep(POLL)


def push(path: Path, base_url: str | None = None) -> int:
    """Upload contacts and wait until they are there; how many they are. Raises `PushFailed`."""
    service = Service(base_url)
    job = service.upload(path)
    status = service.wait(job)
    if "error" in status:
        raise PushFailed(f"job {job} is {status['status']}: {status['error']}")
    if status["recordsFailedCount"]:
        errors = service.get(f"bulk/{job}/errors")
        raise PushFailed("\n".join(f"row {error['rowNum']}: {error['status']}" for error in errors))
    return int(status["recordsCount"])
