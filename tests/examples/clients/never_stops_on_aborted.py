"""Knows one end of a job, the good one."""

from __future__ import annotations

import time
from collections.abc import Mapping

import requests


def faulty(base_url: str, headers: Mapping[str, str], csv: str) -> str:
    """Upload, and wait until the job is complete."""
    files = {"file": ("contacts.csv", csv)}
    job = requests.post(f"{base_url}/bulk/contact", headers=headers, files=files, timeout=10).json()
    while True:
        answer = requests.get(f"{base_url}/bulk/{job['id']}/status", headers=headers, timeout=10)
        if answer.json()["status"] in ("COMPLETE", "COMPLETED"):
            return "done"
        time.sleep(2)


def corrected(base_url: str, headers: Mapping[str, str], csv: str) -> str:
    """Upload, and wait until the job has ended one way or the other, for ten minutes at most."""
    files = {"file": ("contacts.csv", csv)}
    job = requests.post(f"{base_url}/bulk/contact", headers=headers, files=files, timeout=10).json()
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        answer = requests.get(f"{base_url}/bulk/{job['id']}/status", headers=headers, timeout=10).json()
        if answer["status"] in ("COMPLETE", "COMPLETED"):
            return "done"
        if answer["status"] in ("ABORTED", "ERROR", "CANCELLED"):
            return f"failed: {answer.get('error', answer['status'])}"
        time.sleep(2)
    return "timed out"
