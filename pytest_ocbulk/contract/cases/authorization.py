"""Who may ask."""

from __future__ import annotations

import re

from ..case import case
from ..subject import MISSING_OBJECT, Subject
from ..target import Answer, authorization

SENTENCE = "Invalid Organization or User secret, or invalid Element token provided."
REFUSAL = "status [docs] DP _includes/error-codes.md, [swagger]; text [client] RB (protocol 2.2)"


def _with(at: Subject, **changed: str) -> Answer:
    return at.get("/objects", {"Authorization": authorization({**at.target.secrets, **changed})})


def _refused(at: Subject, answer: Answer) -> None:
    at.refused(answer, 401)
    at.saw("message", answer.json().get("message"), SENTENCE)


@case(REFUSAL)
def no_secrets_are_401(at: Subject) -> None:
    """Without an Authorization header nobody is let in."""
    _refused(at, at.get("/objects", {"Authorization": ""}))


@case(REFUSAL)
def a_wrong_element_token_is_401(at: Subject) -> None:
    """An element token that nobody has."""
    _refused(at, _with(at, Element="0" * 32))


@case(REFUSAL)
def a_wrong_user_secret_is_401(at: Subject) -> None:
    """The right element token with another user's secret."""
    _refused(at, _with(at, User="0" * 32))


@case(
    "docs write Element, User; [live-test] CH17 src/core/defaults.js; [client] BIO, blank before comma (protocol 2.1)"
)
def the_order_of_secrets_does_not_matter(at: Subject) -> None:
    """Pairs in any order, with a blank before the comma."""
    pairs = [f"{scheme} {secret}" for scheme, secret in reversed(list(at.target.secrets.items())) if secret]
    at.saw("status", at.get("/objects", {"Authorization": " , ".join(pairs)}).status, 200)


@case("[docs] CEH/organization-secret-and-user-secret; [swagger] (protocol 2.1)")
def the_organization_secret_is_not_needed(at: Subject) -> None:
    """Element calls need User and Element."""
    at.saw("status", _with(at, Organization="").status, 200)


@case("[docs] DP clover.json; [live-test] CH17 platform/usage/usage.js; [client] BIO (protocol 2.3)")
def every_answer_names_its_request(at: Subject) -> None:
    """A header of 24 hex digits; a refusal repeats it in its body."""
    fine, refused = at.get("/objects"), at.get(f"/objects/{MISSING_OBJECT}/metadata")
    number = fine.headers.get("elements-request-id", "")
    at.saw("24 hex digits", bool(re.fullmatch("[0-9a-f]{24}", number)), True)
    same = refused.json().get("requestId") == refused.headers.get("elements-request-id")
    at.saw("the same in a refusal's body", same, True)


@case("[live-test] CH18 platform/elements/instances.js (protocol 2.4)")
def every_answer_names_its_instance(at: Subject) -> None:
    """The instance's number is in a header."""
    number = at.get("/objects").headers.get("elements-element-instance-id", "")
    at.saw("decimal digits", number.isdigit(), True)
