"""A file of contacts as a stream: any number of rows in constant memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from pytest_ocbulk.emulator import whole_file
from pytest_ocbulk.emulator.errors import OcBulkError

from .blocks import MOST_ROWS, blocks
from .layout import Layout
from .pools import Pools, dice, draw_pools
from .recipes import Recipe, recipe_for

Progress = Callable[[int, int], None]
"""Called with the rows written so far and the rows in all."""


def write_contacts(
    target: str | os.PathLike[str] | BinaryIO,
    n: int,
    *,
    connector: str = "marketing",
    object: str = "contact",
    locale: str = "en_US",
    seed: int | str = 0,
    encoding: str = "utf-8",
    bom: bool = False,
    delimiter: str = ",",
    newline: str = "\n",
    progress: Progress | None = None,
) -> None:
    """Write a CSV file of `n` contacts, with a header, to a path or an open binary file.

    The same arguments and the same version of Faker give the same bytes. Keys and e-mail addresses are
    unique; the other columns are combined from a pool of at most a thousand values that Faker draws.
    Memory does not grow with `n`. `progress` is called after every ten thousand rows. An existing file is
    replaced when all of the new one is there; a refusal (`OcBulkError`) comes before it is opened.
    """
    layout = Layout(encoding, bom, delimiter, newline)
    recipe = recipe_for(connector, object)
    parts = stream(n, recipe, locale, seed, layout)
    if isinstance(target, (str, os.PathLike)):
        with whole_file.written(target) as file:
            _write(file, parts, n, progress)
    else:
        _write(target, parts, n, progress)


def stream(
    n: int, recipe: Recipe, locale: str, seed: int | str, layout: Layout
) -> Iterator[tuple[int, bytes]]:
    """The bytes of a file, part by part, each with the number of rows in it; the first is the header.

    Everything that can be refused is refused now, before the first part is asked for.
    """
    if type(n) is not int or not 0 <= n <= MOST_ROWS:
        raise OcBulkError(f"the number of contacts must be between 0 and {MOST_ROWS}, got {n!r}")
    return _parts(n, recipe, draw_pools(recipe, n, locale, seed, layout), seed, layout)


def _parts(
    n: int, recipe: Recipe, pools: Pools, seed: int | str, layout: Layout
) -> Iterator[tuple[int, bytes]]:
    yield 0, layout.encode(layout.head(recipe.names))
    yield from blocks(n, recipe, pools, dice(seed, "rows"), layout)


def _write(file: BinaryIO, parts: Iterator[tuple[int, bytes]], n: int, progress: Progress | None) -> None:
    written = 0
    for rows, part in parts:
        file.write(part)
        written += rows
        if progress and rows:
            progress(written, n)
