"""How much is tried, and what is written down about it.

Short in `make test`, the same inputs each time; `OCBULK_FUZZ=long` (`make fuzz`) tries many more, other ones each time.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings

LONG = os.environ.get("OCBULK_FUZZ") == "long"
MORE = 20
"""How many times more a long run tries."""

TRIED: Counter[str] = Counter()
"""Inputs by what they were tried on."""

_Test = TypeVar("_Test", bound=Callable[..., Any])


def tries(examples: int) -> Callable[[_Test], _Test]:
    """Try so many examples, in a long run many more."""
    decorate = settings(
        max_examples=examples * MORE if LONG else examples,
        derandomize=not LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    def with_settings(test: _Test) -> _Test:
        decorate(test)
        return test

    return with_settings


class _Errors(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def no_errors_logged() -> Iterator[None]:
    """Fail when anything is logged as an error meanwhile: that is where tracebacks go."""
    handler, logger = _Errors(), logging.getLogger("pytest_ocbulk")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    assert [logging.Formatter().format(record) for record in handler.records] == []
