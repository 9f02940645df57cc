"""Reads the first page of errors and takes it for all of them."""

from __future__ import annotations

from collections.abc import Mapping

import requests

PAGE_SIZE = 2


def faulty(base_url: str, headers: Mapping[str, str], csv: str) -> list[int]:
    """Upload, and return the numbers of the rows that failed."""
    job = _upload(base_url, headers, csv)
    params = {"pageSize": PAGE_SIZE}
    answer = requests.get(f"{base_url}/bulk/{job}/errors", headers=headers, params=params, timeout=10)
    return [item["rowNum"] for item in answer.json()]


def corrected(base_url: str, headers: Mapping[str, str], csv: str) -> list[int]:
    """The same, page by page until there is no next one."""
    job = _upload(base_url, headers, csv)
    rows: list[int] = []
    params: dict[str, str | int] = {"pageSize": PAGE_SIZE}
    while True:
        answer = requests.get(f"{base_url}/bulk/{job}/errors", headers=headers, params=params, timeout=10)
        rows += [item["rowNum"] for item in answer.json()]
        if not (token := answer.headers.get("elements-next-page-token")):
            return rows
        params["nextPage"] = token


def _upload(base_url: str, headers: Mapping[str, str], csv: str) -> str:
    files = {"file": ("contacts.csv", csv)}
    job = requests.post(f"{base_url}/bulk/contact", headers=headers, files=files, timeout=10).json()
    requests.get(f"{base_url}/bulk/{job['id']}/status", headers=headers, timeout=10).raise_for_status()
    return str(job["id"])
