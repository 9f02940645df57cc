"""The accidents of CSV files: each is told by its name, and no innocent change is."""

from __future__ import annotations

import unicodedata

import pytest

from pytest_ocbulk.assertions.causes import cause, encoding_cause, header_causes

NAMES = ["C_EmailAddress", "C_FirstName"]


@pytest.mark.parametrize(
    ("expected", "arrived", "why"),
    [
        ("Ann", "\ufeffAnn", "a byte order mark became part of it"),
        ("", "nan", "an empty value was written as 'nan'"),
        ("", "None", "an empty value was written as 'None'"),
        ("Ann", "", "the value was lost"),
        (" Ann ", "Ann", "blanks were stripped"),
        ("Ann", "Ann ", "blanks were added"),
        ("Ann", "\u00a0Ann", "blanks were added"),
        ("0049", "49", "leading zeros were lost"),
        ("000", "0", "leading zeros were lost"),
        ("+4930", "4930", "the leading + was lost"),
        ("1.50", "1.5", "trailing zeros were lost"),
        ("2.0", "2", "trailing zeros were lost"),
        ("7", "7.0", "it was written as a floating-point number"),
        ("49301234567890", "4.930123456789e+13", "it was written as a number in scientific notation"),
        ("12345678901234567", "12345678901234568", "it was read as a number and rounded"),
        ("Jörg", "JÃ¶rg", "wrong encoding: UTF-8 was read as Windows-1252"),
        ("Jörg", "J├Ârg", "wrong encoding: UTF-8 was read as code page 850"),
        ("Jörg", "J\ufffdrg", "wrong encoding: Windows-1252 was read as UTF-8"),
        ("Jörg", "J?rg", "wrong encoding: characters that it does not have became question marks"),
        ("Łódź", "?ód?", "wrong encoding: characters that it does not have became question marks"),
        ("Jörg", "Jorg", "accents were dropped"),
        (
            "Jörg",
            unicodedata.normalize("NFD", "Jörg"),
            "another Unicode normal form: it looks the same, its characters differ",
        ),
        ("Ann", '"Ann"', "quotes became part of it"),
        ('12"', '12""', "quotes were doubled twice"),
        ("a\r\nb", "a\nb", "line breaks were changed"),
        ("a\nb", "a b", "line breaks were changed"),
        ("Ann", "ANN", "upper and lower case were changed"),
        ("Annabel", "Anna", "it was cut after 4 characters"),
        ("Annabel", "A", "it was cut after 1 character"),
    ],
)
def test_a_known_accident_is_named(expected: str, arrived: str, why: str) -> None:
    assert cause(expected, arrived) == why


@pytest.mark.parametrize(
    ("expected", "arrived"),
    [("Ann", "Bob"), ("", "Ann"), ("12", "13"), ("0049", "0050"), ("1e5", "2e5"), ("Jörg", "Jürg")],
)
def test_any_other_change_has_no_known_cause(expected: str, arrived: str) -> None:
    assert cause(expected, arrived) is None


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (
            ["C_EmailAddress;C_FirstName"],
            "wrong delimiter: the file's columns are separated by ';', the service reads commas",
        ),
        (
            ["C_EmailAddress\tC_FirstName"],
            "wrong delimiter: the file's columns are separated by '\\t', the service reads commas",
        ),
        (
            ["c_emailaddress", "C_FirstName"],
            "column 'C_EmailAddress' is called 'c_emailaddress' in the file: header case",
        ),
        (
            ["C_EmailAddress", " C_FirstName"],
            "column 'C_FirstName' is called ' C_FirstName' in the file: blanks became part of it",
        ),
        (
            ["\ufeffC_EmailAddress", "C_FirstName"],
            (
                "column 'C_EmailAddress' is called '\\ufeffC_EmailAddress' in the file: "
                "a second byte order mark became part of it"
            ),
        ),
        (
            ["'C_EmailAddress'", "C_FirstName"],
            "column 'C_EmailAddress' is called \"'C_EmailAddress'\" in the file: quotes became part of it",
        ),
    ],
)
def test_a_header_tells_why_columns_are_missing(header: list[str], why: str) -> None:
    assert list(header_causes(NAMES, header)) == [why]


@pytest.mark.parametrize("header", [NAMES, [*NAMES, "more"], [], ["Other", "Names"], ["a;b"]])
def test_a_header_without_an_accident_tells_nothing(header: list[str]) -> None:
    assert list(header_causes(NAMES, header)) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a,b\n".encode("utf-16"), "wrong encoding: the file is UTF-16, the service reads UTF-8"),
        ("a,b\n".encode("utf-32"), "wrong encoding: the file is UTF-32, the service reads UTF-8"),
        (
            "name\nAnn\nJörg\n".encode("cp1252"),
            "wrong encoding: row 2 is not UTF-8 (byte 0xf6), perhaps Windows-1252",
        ),
        (
            "Größe\n1\n".encode("cp1252"),
            "wrong encoding: the header is not UTF-8 (byte 0xf6), perhaps Windows-1252",
        ),
    ],
)
def test_a_file_that_is_not_utf_8_is_told(content: bytes, why: str) -> None:
    assert encoding_cause(content, whole=True) == why


def test_a_character_cut_by_the_end_of_an_excerpt_is_no_accident() -> None:
    content = "name\nJörg".encode()[:-3]
    assert encoding_cause(content, whole=True) is not None
    assert encoding_cause(content, whole=False) is None
    assert encoding_cause("name\nJörg\n".encode(), whole=True) is None
