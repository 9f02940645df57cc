"""The two families of errors: statuses of the one, hints of the other."""

from __future__ import annotations

import pytest

from pytest_ocbulk.emulator import errors
from pytest_ocbulk.emulator.errors import ApiError, OcBulkError, Unauthorized, error_body, nearest


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.BadRequest, 400),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.MethodNotAllowed, 405),
        (errors.NotAcceptable, 406),
        (errors.Conflict, 409),
        (errors.PayloadTooLarge, 413),
        (errors.UnsupportedMediaType, 415),
        (errors.ApiError, 500),
    ],
)
def test_each_refusal_has_the_status_of_the_normalized_table(kind: type[ApiError], status: int) -> None:
    error = kind("why", provider_message="says the provider")
    assert (error.status, error.message, str(error)) == (status, "why", "why")
    assert error.provider_message == "says the provider"


def test_every_refusal_is_in_the_table_above() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ApiError)}
    assert {kind.status for kind in kinds} == {400, 401, 403, 404, 405, 406, 409, 413, 415, 500}
    assert len(kinds) == 10


def test_wrong_credentials_are_told_in_the_vendors_one_sentence() -> None:
    assert Unauthorized().status == 401
    assert Unauthorized().message == (
        "Invalid Organization or User secret, or invalid Element token provided."
    )


def test_a_refusal_has_the_providers_words_only_where_there_are_some() -> None:
    assert error_body("r1", "why") == {"requestId": "r1", "message": "why"}
    assert error_body("r1", "why", "") == {"requestId": "r1", "message": "why", "providerMessage": ""}


def test_the_families_are_apart() -> None:
    assert not issubclass(OcBulkError, ApiError)
    assert not issubclass(ApiError, OcBulkError)


@pytest.mark.parametrize(
    ("word", "choices", "hint"),
    [
        ("uplod", ["status", "upload"], "; did you mean 'upload'?"),
        ("zzz", ["status", "upload"], "; known are status, upload"),
        ("zzz", ["b", "a"], "; known are a, b"),
        ("zzz", [], ""),
    ],
)
def test_a_misspelt_word_gets_the_nearest_one_or_the_list(word: str, choices: list[str], hint: str) -> None:
    assert nearest(word, choices) == hint
