"""Files that a command writes: checked at its start, written as a whole at its end; a dash is standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

STDOUT = Path("-")
"""What stands for standard output."""


class NewFile(click.Path):
    """A file that is written at the end of a command; refused at its start if it cannot be.

    `appended` is one that is only added to, hence no dash.
    """

    def __init__(self, *, appended: bool = False) -> None:
        super().__init__(
            dir_okay=False, readable=False, writable=True, allow_dash=not appended, path_type=Path
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path; fails if it cannot be written to."""
        path = Path(str(super().convert(value, param, ctx)))
        if path == STDOUT:
            if not self.allow_dash:
                self.fail("a dash is standard output, which keeps nothing; name a file", param, ctx)
        elif not path.parent.is_dir():
            self.fail(f"there is no directory '{path.parent}'; make it, or name another file", param, ctx)
        elif not os.access(path.parent, os.W_OK | os.X_OK):  # written beside the place, then moved there
            self.fail(f"directory '{path.parent}' is not writable; name another file", param, ctx)
        return path


@contextmanager
def written(path: Path) -> Iterator[BinaryIO]:
    """The file, open for writing bytes: it replaces what is there if the block ends well. A dash is standard output."""
    from pytest_ocbulk.emulator import whole_file

    if path == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with whole_file.written(path) as file:
        yield file
