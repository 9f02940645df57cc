"""Asks again as soon as it has been answered."""

from __future__ import annotations

import time
from collections.abc import Mapping

import requests

ENDS = ("COMPLETE", "COMPLETED", "ABORTED", "ERROR", "CANCELLED")


def faulty(base_url: str, headers: Mapping[str, str], csv: str) -> str:
    """Upload, and ask until the job has ended."""
    files = {"file": ("contacts.csv", csv)}
    job = requests.post(f"{base_url}/bulk/contact", headers=headers, files=files, timeout=10).json()
    status = ""
    while status not in ENDS:
        answer = requests.get(f"{base_url}/bulk/{job['id']}/status", headers=headers, timeout=10)
        status = answer.json()["status"]
    return status


def corrected(base_url: str, headers: Mapping[str, str], csv: str) -> str:
    """Upload, and ask with pauses that grow."""
    files = {"file": ("contacts.csv", csv)}
    job = requests.post(f"{base_url}/bulk/contact", headers=headers, files=files, timeout=10).json()
    status, pause = "", 1.0
    while status not in ENDS:
        time.sleep(pause)
        pause = min(pause * 1.5, 30.0)
        answer = requests.get(f"{base_url}/bulk/{job['id']}/status", headers=headers, timeout=10)
        status = answer.json()["status"]
    return status
