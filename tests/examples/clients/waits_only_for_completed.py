"""Waits for the word of the live service; the documentation's walk-through says COMPLETE."""

from __future__ import annotations

import time
from collections.abc import Mapping

import requests


def faulty(base_url: str, headers: Mapping[str, str], csv: str) -> str:
    """Upload, and wait for `COMPLETED`."""
    files = {"file": ("contacts.csv", csv)}
    job = requests.post(f"{base_url}/bulk/contact", headers=headers, files=files, timeout=10).json()
    status = job["status"]
    while status != "COMPLETED":
        time.sleep(2)
        answer = requests.get(f"{base_url}/bulk/{job['id']}/status", headers=headers, timeout=10)
        status = answer.json()["status"]
    return str(status)


def corrected(base_url: str, headers: Mapping[str, str], csv: str) -> str:
    """Upload, and wait for either spelling."""
    files = {"file": ("contacts.csv", csv)}
    job = requests.post(f"{base_url}/bulk/contact", headers=headers, files=files, timeout=10).json()
    status = job["status"]
    while status not in ("COMPLETE", "COMPLETED"):
        time.sleep(2)
        answer = requests.get(f"{base_url}/bulk/{job['id']}/status", headers=headers, timeout=10)
        status = answer.json()["status"]
    return str(status)
