"""Values that Faker draws: a few hundred per column, from its own providers, for any of its locales.

Faker makes some ten thousand values in a second, a large file has millions of cells. So Faker draws pools,
and rows are combined from them (`blocks.py`). Nothing here runs per row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING

from pytest_ocbulk.emulator.errors import OcBulkError, nearest

from .layout import Layout
from .recipes import Column, Recipe

if TYPE_CHECKING:
    from faker import Faker

_SMALLEST, _LARGEST = 250, 1000

Pools = Mapping[str, list[str]]


def pool_size(rows: int) -> int:
    """How many values a column needs: one per row in a small file, never more than a thousand."""
    return min(rows, max(_SMALLEST, min(rows // 10, _LARGEST)))


def dice(seed: int | str, *purpose: str) -> Random:
    """Random numbers that follow from the seed alone, the same in every process (`hash()` is not)."""
    text = "\x1f".join((str(seed), *purpose))
    return Random(int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8], "big"))


def draw_pools(recipe: Recipe, rows: int, locale: str, seed: int | str, layout: Layout) -> Pools:
    """Draw the values of every column, as they will stand in the file (before quoting).

    Raises `OcBulkError` for an unknown locale, for a locale that lacks a provider, and for a value that
    the encoding cannot hold.
    """
    rng = dice(seed, "pools", locale)
    # Faker's frequency tables make a name forty times as slow as an even draw.
    fakes = tuple(_faker(locale, rng.getrandbits(32), weighted) for weighted in (False, True))
    size = pool_size(rows)
    limits = (each.max_length for each in recipe.fields)
    pools = {
        column.name: _roughened(_drawn(column, size, limit, fakes, locale), column, rng)
        for column, limit in zip(recipe.columns, limits, strict=True)
    }
    _check_encoding(pools, locale, layout)
    return pools


def _faker(locale: str, seed: int, weighted: bool) -> Faker:
    from faker import Faker
    from faker.config import AVAILABLE_LOCALES

    if locale.replace("-", "_") not in AVAILABLE_LOCALES:
        hint = nearest(locale, AVAILABLE_LOCALES)
        hint = hint if hint.startswith("; did") else "; use one of Faker's, such as 'en_US' or 'de_DE'"
        raise OcBulkError(f"unknown locale {locale!r}{hint}")
    fake = Faker(locale, use_weighting=weighted)
    fake.seed_instance(seed)
    return fake


def _drawn(column: Column, size: int, limit: int | None, fakes: tuple[Faker, ...], locale: str) -> list[str]:
    for template in column.made:
        for fake in fakes:
            try:
                return [_tidy(fake.parse(template), limit) for _ in range(size)]
            except (AttributeError, AssertionError):
                # The locale has no such provider; or, as es_CL in Faker 40, one that needs its weights.
                continue
    tried = " or ".join(template.strip("{}") for template in column.made)
    raise OcBulkError(f"locale {locale!r} has no {tried} in this version of Faker, needed for {column.name}")


def _tidy(value: str, limit: int | None) -> str:
    # Some locales write addresses on two lines (en_GB) or leave blanks at an end (es_ES).
    return " ".join(value.split())[:limit].rstrip()


def _roughened(values: list[str], column: Column, rng: Random) -> list[str]:
    """Some cells empty, some brackets lost, as in the service's own sample."""
    if column.slips:
        values = [v.removeprefix("(") if rng.random() < column.slips else v for v in values]
    if column.empty:
        values = ["" if rng.random() < column.empty else v for v in values]
    return values


def _check_encoding(pools: Pools, locale: str, layout: Layout) -> None:
    for name, values in pools.items():
        for value in values:
            if not layout.holds(value):
                raise OcBulkError(
                    f"encoding {layout.encoding!r} has no characters for {value!r} ({name}, locale {locale}); "
                    "use encoding='utf-8' or another locale"
                )
