"""Takes a completed job for records that can be found."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests


def faulty(base_url: str, headers: Mapping[str, str], csv: str) -> list[dict[str, Any]]:
    """Upload, wait, and return the contacts; raises `LookupError` when they are not there."""
    _upload_and_wait(base_url, headers, csv)
    found = _contacts(base_url, headers)
    if len(found) < csv.count("\n") - 1:
        raise LookupError("the job is complete, but the contacts are not there")
    return found


def corrected(base_url: str, headers: Mapping[str, str], csv: str) -> list[dict[str, Any]]:
    """The same, but patient: records may show up a little later than the end of their job."""
    _upload_and_wait(base_url, headers, csv)
    deadline = time.monotonic() + 60
    while len(found := _contacts(base_url, headers)) < csv.count("\n") - 1:
        if time.monotonic() > deadline:
            raise LookupError("the job is complete, but after a minute the contacts are not there")
        time.sleep(2)
    return found


def _contacts(base_url: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = requests.get(f"{base_url}/contact", headers=headers, timeout=10).json()
    return found


def _upload_and_wait(base_url: str, headers: Mapping[str, str], csv: str) -> None:
    files = {"file": ("contacts.csv", csv)}
    job = requests.post(f"{base_url}/bulk/contact", headers=headers, files=files, timeout=10).json()
    status = ""
    while status not in ("COMPLETE", "COMPLETED", "ABORTED", "ERROR", "CANCELLED"):
        time.sleep(2)
        answer = requests.get(f"{base_url}/bulk/{job['id']}/status", headers=headers, timeout=10)
        status = answer.json()["status"]
