"""The streams and arguments of a process as they are found: in a narrow encoding, no text at all, full, or closed."""

from __future__ import annotations

import codecs
import io
import os
import sys


def spell_out_what_it_cannot_say() -> None:
    """Write characters that the encoding of standard output has not as backslash escapes instead of failing.

    A pipe on Windows is cp1252, whatever the terminal is; names of files need not be text at all.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def takes_all_text() -> bool:
    """Whether standard output is in an encoding that has every character."""
    try:
        return codecs.lookup(sys.stdout.encoding).name.startswith("utf-")
    except (AttributeError, LookupError, TypeError):
        return True  # no real file, so it takes text


def plain() -> bool:
    """Whether this process is to write no colours (https://no-color.org, or a terminal that has none)."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


def can_redraw() -> bool:
    """Whether a line on standard error can be written over."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def give_up_if_unwritable() -> None:
    """Forget what could not be written, so that Python's own try at the end of the process does not fail again."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def undecodable(text: str) -> str | None:
    """The first byte, as `0xe9`, of an argument that is no text in the encoding of this process (PEP 383)."""
    return next((f"0x{ord(each) - 0xDC00:02x}" for each in text if "\udc80" <= each <= "\udcff"), None)
