"""Why a value is not what it was: the accidents that happen to CSV files on their way.

Each accident is a rule: what it makes of a value, or how to tell that it happened. The first rule that explains the
whole change is its cause; a change that none explains has none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence

BOM = "\ufeff"
_EMPTY_WORDS = frozenset({"nan", "none", "null", "n/a", "na", "nat", "<na>", "undefined"})


def cause(expected: str, arrived: str) -> str | None:
    """What turns the expected text into the one that arrived, None if nothing known does."""
    for explain in _RULES:
        if found := explain(expected, arrived):
            return found
    return None


def _byte_order_mark(expected: str, arrived: str) -> str | None:
    return "a byte order mark became part of it" if arrived == BOM + expected else None


def _empty_word(expected: str, arrived: str) -> str | None:
    if not expected and arrived.lower() in _EMPTY_WORDS:
        return f"an empty value was written as {arrived!r}"
    return None


def _emptied(expected: str, arrived: str) -> str | None:
    return "the value was lost" if expected and not arrived else None


def _blanks(expected: str, arrived: str) -> str | None:
    if expected.strip() != arrived.strip():
        return None
    return "blanks were stripped" if len(arrived) < len(expected) else "blanks were added"


def _zeros(expected: str, arrived: str) -> str | None:
    if not arrived or not expected.lstrip("+").replace(".", "", 1).isdigit():
        return None
    if expected.startswith("+") and expected[1:].lstrip("0") == arrived.lstrip("0"):
        return "the leading + was lost"
    if expected.startswith("0") and (expected.lstrip("0") or "0") == arrived:
        return "leading zeros were lost"
    if "." in expected and expected.rstrip("0").rstrip(".") == arrived:
        return "trailing zeros were lost"
    return None


def _number(expected: str, arrived: str) -> str | None:
    """Spreadsheets and data frames take digits for numbers."""
    try:
        same = float(expected) == float(arrived)
    except ValueError:
        return None
    if same and "e" in arrived.lower():
        return "it was written as a number in scientific notation"
    if same and arrived.endswith(".0"):
        return "it was written as a floating-point number"
    return "it was read as a number and rounded" if _rounded(expected, arrived) else None


def _rounded(expected: str, arrived: str) -> bool:
    return len(expected) > 15 and abs(float(expected) - float(arrived)) <= abs(float(expected)) * 1e-5


def _misread(expected: str, arrived: str) -> str | None:
    for codec, name in (("cp1252", "Windows-1252"), ("latin-1", "ISO 8859-1"), ("cp850", "code page 850")):
        if expected.encode(errors="replace").decode(codec, errors="replace") == arrived:
            return f"wrong encoding: UTF-8 was read as {name}"
    if "\ufffd" in arrived:
        for codec, name in (("cp1252", "Windows-1252"), ("latin-1", "ISO 8859-1")):
            if expected.encode(codec, errors="replace").decode(errors="replace") == arrived:
                return f"wrong encoding: {name} was read as UTF-8"
    return None


def _impoverished(expected: str, arrived: str) -> str | None:
    if expected.isascii():
        return None
    if any(
        expected.encode(codec, errors="replace").decode(codec) == arrived for codec in ("ascii", "cp1252")
    ):
        return "wrong encoding: characters that it does not have became question marks"
    plain = unicodedata.normalize("NFKD", expected).encode("ascii", errors="ignore").decode()
    if plain == arrived:
        return "accents were dropped"
    if unicodedata.normalize("NFC", expected) == unicodedata.normalize("NFC", arrived):
        return "another Unicode normal form: it looks the same, its characters differ"
    return None


def _quotes(expected: str, arrived: str) -> str | None:
    if arrived in (f'"{expected}"', f"'{expected}'"):
        return "quotes became part of it"
    if arrived != expected and arrived == expected.replace('"', '""'):
        return "quotes were doubled twice"
    return None


def _line_ends(expected: str, arrived: str) -> str | None:
    if "\n" in expected and " ".join(expected.split()) == " ".join(arrived.split()):
        return "line breaks were changed"
    return None


def _case(expected: str, arrived: str) -> str | None:
    return "upper and lower case were changed" if expected.casefold() == arrived.casefold() else None


def _cut(expected: str, arrived: str) -> str | None:
    if len(arrived) >= 1 and expected.startswith(arrived):
        return f"it was cut after {len(arrived)} character{'s' if len(arrived) > 1 else ''}"
    return None


_RULES: tuple[Callable[[str, str], str | None], ...] = (
    _byte_order_mark,
    _empty_word,
    _emptied,
    _blanks,
    _zeros,
    _number,
    _misread,
    _impoverished,
    _quotes,
    _line_ends,
    _case,
    _cut,
)


def header_causes(expected: Sequence[str], header: Sequence[str]) -> Iterator[str]:
    """Why columns that were expected are not in the header of a file that was sent."""
    if not header or set(expected) <= set(header):
        return
    if len(header) == 1 and (delimiter := _delimiter(expected, header[0])):
        yield f"wrong delimiter: the file's columns are separated by {delimiter!r}, the service reads commas"
        return
    for name in expected:
        if name in header:
            continue
        for found in header:
            if why := _renamed(name, found):
                yield f"column {name!r} is called {found!r} in the file: {why}"
                break


def _delimiter(expected: Sequence[str], line: str) -> str | None:
    for delimiter in (";", "\t", "|", ":"):
        names = [name.strip(' "') for name in line.removeprefix(BOM).split(delimiter)]
        if len(names) > 1 and set(names) & set(expected):
            return delimiter
    return None


def _renamed(name: str, found: str) -> str | None:
    if found == BOM + name:
        return "a second byte order mark became part of it"
    if found.strip() == name:
        return "blanks became part of it"
    if found.strip("\"'") == name:
        return "quotes became part of it"
    return "header case" if found.casefold() == name.casefold() else None


def encoding_cause(content: bytes, *, whole: bool) -> str | None:
    """Why the service cannot read a file: it is not UTF-8. `whole`: `content` is all of the file."""
    for mark, name in (
        (b"\xff\xfe\0\0", "UTF-32"),
        (b"\0\0\xfe\xff", "UTF-32"),
        (b"\xff\xfe", "UTF-16"),
        (b"\xfe\xff", "UTF-16"),
    ):
        if content.startswith(mark):
            return f"wrong encoding: the file is {name}, the service reads UTF-8"
    # The end of an excerpt may cut a character in two.
    readable = content if whole else content[: content.rfind(b"\n") + 1]
    try:
        readable.decode()
    except UnicodeDecodeError as error:
        line = readable[: error.start].count(b"\n")
        where = f"row {line}" if line else "the header"
        return (
            f"wrong encoding: {where} is not UTF-8 (byte 0x{readable[error.start]:02x}), perhaps Windows-1252"
        )
    return None
