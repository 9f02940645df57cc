"""One case, run once against one target."""

from __future__ import annotations

from .case import CASES, Case, Changes
from .facts import Observation
from .subject import SkipCase, Subject
from .target import Target


def all_cases() -> list[Case]:
    """Every case, in the order in which they are told."""
    from . import cases  # noqa: F401  # importing them registers them

    return list(CASES)


def observe(case: Case, target: Target) -> Observation:
    """Run a case and say what it saw; its records are removed again whatever happens.

    Nothing is raised: what stops a case is part of the observation, because at a foreign service it is news.
    """
    if reason := not_here(case, target):
        return Observation(case, skipped=reason)
    subject, stopped = Subject(target), ""
    try:
        case.check(subject)
    except SkipCase as skip:
        return Observation(case, tuple(subject.facts), skipped=str(skip))
    except Exception as error:  # whatever a foreign service makes of the client
        stopped = f"stopped by {type(error).__name__}: {error}"
    finally:
        left = _cleared(case, subject)
    return Observation(case, tuple(subject.facts), stopped=stopped or left)


def not_here(case: Case, target: Target) -> str:
    """Why a case cannot run at a target; empty if it can."""
    if target.readonly and case.changes is not Changes.NOTHING:
        return f"readonly: this case makes {case.changes.value}"
    return next((reason for need in case.needs if (reason := target.settings.lacks(need))), "")


def _cleared(case: Case, subject: Subject) -> str:
    """Remove the records of a case; what is left of them, empty if nothing."""
    if case.changes is not Changes.RECORDS:
        return ""
    try:
        left = subject.clear()
    except Exception as error:  # said, not raised: the case's own news comes first
        return f"its records could not be removed: {error}; they are those with {subject.mine}"
    return f"{left} of its records are left: those with {subject.mine}" if left else ""
