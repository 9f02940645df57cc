"""Takes a file of JSON lines, which the service calls application/json, for one JSON value."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import requests


def faulty(base_url: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Query the contacts, and return them."""
    found: list[dict[str, Any]] = _result(base_url, headers).json()
    return found


def corrected(base_url: str, headers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Query the contacts, and return them, whether they come as lines or as an array."""
    text = _result(base_url, headers).text
    if text.lstrip().startswith("["):
        found: list[dict[str, Any]] = json.loads(text)
        return found
    return [json.loads(line) for line in text.splitlines() if line]


def _result(base_url: str, headers: Mapping[str, str]) -> requests.Response:
    params = {"q": "select * from contact"}
    job = requests.post(f"{base_url}/bulk/query", headers=headers, params=params, timeout=10).json()
    status = ""
    while status not in ("COMPLETE", "COMPLETED", "ABORTED", "ERROR", "CANCELLED"):
        time.sleep(2)
        answer = requests.get(f"{base_url}/bulk/{job['id']}/status", headers=headers, timeout=10)
        status = answer.json()["status"]
    url = f"{base_url}/bulk/{job['id']}/contact"
    return requests.get(url, headers={**headers, "Accept": "application/json"}, timeout=10)
