"""The type of options that name a file to be written, checked before anything is uploaded or asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class NewFile(click.Path):
    """A file that is written at the end of a command; refused at its start if its directory is not there."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path; fails if it cannot be written to."""
        path = Path(str(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"there is no directory '{path.parent}'; make it, or name another file", param, ctx)
        return path
