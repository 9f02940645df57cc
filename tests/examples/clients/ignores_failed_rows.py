"""Takes a completed job for one whose rows are all in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import requests


def faulty(base_url: str, headers: Mapping[str, str], csv: str) -> list[str]:
    """Upload, wait, and be content."""
    _upload_and_wait(base_url, headers, csv)
    return []


def corrected(base_url: str, headers: Mapping[str, str], csv: str) -> list[str]:
    """Upload, wait, and return what is wrong with the rows that failed."""
    job = _upload_and_wait(base_url, headers, csv)
    if not job["recordsFailedCount"]:
        return []
    answer = requests.get(f"{base_url}/bulk/{job['id']}/errors", headers=headers, timeout=10)
    return [f"row {item['rowNum']}: {item['status']}" for item in answer.json()]


def _upload_and_wait(base_url: str, headers: Mapping[str, str], csv: str) -> dict[str, Any]:
    files = {"file": ("contacts.csv", csv)}
    job = requests.post(f"{base_url}/bulk/contact", headers=headers, files=files, timeout=10).json()
    while True:
        url = f"{base_url}/bulk/{job['id']}/status"
        status: dict[str, Any] = requests.get(url, headers=headers, timeout=10).json()
        if status["status"] in ("COMPLETE", "COMPLETED", "ABORTED", "ERROR", "CANCELLED"):
            return status
        time.sleep(2)
