"""A file in blocks of ten thousand rows, each block written by one join.

A row's number is the number of its block followed by its place in the block in four digits: 10000, 10001, ...
A block is kept as the list of byte pieces that lie between the places where the block's number belongs, so a
block is rendered by `b"17".join(pieces)`: no Python runs per row. A handful of different blocks takes turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from .layout import Layout
from .pools import Pools
from .recipes import ROW, Recipe

BLOCK_ROWS = 10_000
MOST_ROWS = 9_999 * BLOCK_ROWS
"""Block numbers have up to four digits, so that a key has at most eight characters."""

_DIFFERENT_BLOCKS = 16


def blocks(
    rows: int, recipe: Recipe, pools: Pools, rng: Random, layout: Layout
) -> Iterator[tuple[int, bytes]]:
    """The blocks of a file, without its header, each with the number of its rows."""
    kept: dict[int, list[bytes]] = {}
    for number, start in enumerate(range(0, rows, BLOCK_ROWS), start=1):
        size, turn = min(BLOCK_ROWS, rows - start), number % _DIFFERENT_BLOCKS
        pieces = kept.get(turn) if size == BLOCK_ROWS else None
        if pieces is None:
            pieces = kept[turn] = _pieces(size, recipe, pools, rng, layout)
        yield size, layout.encode(str(number)).join(pieces)


def _pieces(size: int, recipe: Recipe, pools: Pools, rng: Random, layout: Layout) -> list[bytes]:
    cells = (_combined([layout.cell(v) for v in pools[name]], size, rng) for name in recipe.names)
    text = layout.newline.join(map(layout.delimiter.join, zip(*cells, strict=True))) + layout.newline
    marks_per_row = sum(column.numbered for column in recipe.columns)
    first, *rest = text.split(ROW)
    codec = layout.codec
    numbered = (f"{mark // marks_per_row:04d}{piece}".encode(codec) for mark, piece in enumerate(rest))
    return [first.encode(codec), *numbered]


def _combined(pool: list[str], size: int, rng: Random) -> list[str]:
    """A column of a block: each value of the pool at most once while there are enough of them."""
    return rng.sample(pool, size) if size <= len(pool) else rng.choices(pool, k=size)
