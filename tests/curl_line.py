"""The curl lines of the documentation, run without curl: a machine with Python alone must be able to check them."""

from __future__ import annotations

import shlex
from pathlib import Path

import requests

from .patience import PATIENCE


def run(line: str, root: Path) -> requests.Response:
    """Do what a curl line with -X, -H, -F and a URL says; file names are relative to `root`."""
    words = shlex.split(line)
    assert words[0] == "curl"
    method, url = "", ""
    headers: dict[str, str] = {}
    form: list[tuple[str, tuple[str | None, bytes]]] = []
    rest = iter(words[1:])
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(":")
            headers[name] = value.strip()
        elif word == "-F":
            name, _, value = next(rest).partition("=")
            part = (
                (Path(value[1:]).name, (root / value[1:]).read_bytes())
                if value[0] == "@"
                else (None, value.encode())
            )
            form.append((name, part))
        else:
            assert word.startswith("http"), f"an option that this interpreter does not know: {word}"
            url = word
    return requests.request(
        method or ("POST" if form else "GET"), url, headers=headers, files=form or None, timeout=PATIENCE
    )
