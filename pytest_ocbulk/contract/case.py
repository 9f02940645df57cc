"""A case: one behaviour, the evidence it stands on, what it needs, and what it leaves behind while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .subject import Subject

Check = Callable[["Subject"], None]


class Changes(Enum):
    """What a case changes at its target. Records are removed again; jobs cannot be, they stay in the list."""

    NOTHING = "nothing"
    JOBS = "jobs"
    RECORDS = "records"


@dataclass(frozen=True, slots=True)
class Case:
    """One behaviour. `needs` are names of `ContractSettings`; `title` is one line for people."""

    name: str
    area: str
    title: str
    source: str
    needs: tuple[str, ...]
    changes: Changes
    check: Check

    @property
    def inferred(self) -> bool:
        """Whether no source shows the behaviour: the fake chose, and a real account would be news."""
        return "[inferred]" in self.source


CASES: list[Case] = []
"""All cases, in the order of their definition; `cases/__init__.py` fills it."""


def case(
    source: str, *, needs: tuple[str, ...] = (), changes: Changes = Changes.NOTHING
) -> Callable[[Check], Check]:
    """Make a function a case; its name and its docstring's first line are the case's."""

    def register(check: Check) -> Check:
        title = (check.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        area = check.__module__.rpartition(".")[2]
        CASES.append(Case(check.__name__, area, title, source, needs, changes, check))
        return check

    return register
