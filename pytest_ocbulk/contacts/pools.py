"""Values that Faker draws: a few hundred per column, from its own providers, for any of its locales.

Faker makes some ten thousand values in a second, a large file has millions of cells. So Faker draws pools,
and rows are combined from them (`blocks.py`). Nothing here runs per row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from random import Random
from threading import Lock
from typing import TYPE_CHECKING

from pytest_ocbulk.emulator.errors import OcBulkError, nearest

from .layout import Layout
from .recipes import Column, Recipe

if TYPE_CHECKING:
    from faker import Faker

_SMALLEST, _LARGEST = 250, 1000
_ONE_AT_A_TIME = Lock()  # a Faker is kept per locale (making one takes as long as ten rows) and seeded anew

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
    _check_locale(locale)
    rng, size = dice(seed, "pools", locale), pool_size(rows)
    limits = (each.max_length for each in recipe.fields)
    with _ONE_AT_A_TIME:
        pools = {
            column.name: _roughened(_drawn(column, size, limit, locale, rng), column, rng)
            for column, limit in zip(recipe.columns, limits, strict=True)
        }
    _check_encoding(pools, locale, layout)
    return pools


def _check_locale(locale: str) -> None:
    from faker.config import AVAILABLE_LOCALES

    if locale.replace("-", "_") not in AVAILABLE_LOCALES:
        hint = nearest(locale, AVAILABLE_LOCALES)
        hint = hint if hint.startswith("; did") else "; use one of Faker's, such as 'en_US' or 'de_DE'"
        raise OcBulkError(f"unknown locale {locale!r}{hint}")


@cache
def _faker(locale: str, weighted: bool) -> Faker:
    from faker import Faker

    return Faker(locale, use_weighting=weighted)


def _drawn(column: Column, size: int, limit: int | None, locale: str, rng: Random) -> list[str]:
    seed = rng.getrandbits(32)
    for template in column.made:
        # Faker's frequency tables make a name forty times as slow as an even draw; but some locales have a
        # provider that works with its weights only (es_CL in Faker 40).
        for weighted in (False, True):
            fake = _faker(locale, weighted)
            fake.seed_instance(seed)
            try:
                return [_tidy(fake.parse(template), limit) for _ in range(size)]
            except (AttributeError, AssertionError):  # no such provider; weights missed
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
