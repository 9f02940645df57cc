"""Is there a part of a form that nobody reads? A misspelt `metaData` is ignored, and the upload does something else."""

from __future__ import annotations

from collections.abc import Iterator

from ..evidence import Evidence
from ..showing import parts

READ = ("file", "metaData")
"""The parts of an upload that the service reads (protocol.md 3.3)."""


def unread_parts(evidence: Evidence) -> Iterator[str]:
    """The accepted uploads with a part that is almost `metaData`, in words; others may be meant for somebody else."""
    for each in evidence.instance.journal:
        if each.operation != "upload" or not each.job:
            continue
        names = [part.name for part in parts(each)]
        for name in dict.fromkeys(names):
            if name not in READ and "metaData" not in names and _means_metadata(name):
                yield (
                    f"upload of job {each.job} had a part {name!r}, which the service does not read;"
                    " did you mean 'metaData'?"
                )


def _means_metadata(name: str) -> bool:
    from difflib import get_close_matches  # hardly any form has other parts

    plain = name.lower().replace("_", "").replace("-", "")
    return bool(get_close_matches(plain, ["metadata"], cutoff=0.8))
