"""Contacts: the file as Python's own csv module reads it back, and the defects as the core's reader and checks
find them."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_ocbulk.contacts import BAD_KINDS, ContactsFile, contacts, write_contacts
from pytest_ocbulk.contacts.layout import Layout
from pytest_ocbulk.contacts.pools import draw_pools
from pytest_ocbulk.contacts.recipes import Column, Recipe
from pytest_ocbulk.emulator import rows as core_rows
from pytest_ocbulk.emulator.checks import check_column, conflict
from pytest_ocbulk.emulator.connectors import built_in
from pytest_ocbulk.emulator.errors import OcBulkError

OBJECTS = [
    ("marketing", "contact"),
    ("sqlserver", "contacts"),
    ("sqlserver", "contact"),
    ("sage200", "customers"),
    ("sage200", "contact"),
]
KEYS = {"contact": "C_EmailAddress", "contacts": "contact_id", "customers": "reference"}

# Each of these once broke something: no state, addresses on two lines, trailing blanks, providers that need
# weights, no phone number, a region without states, right-to-left, no Latin letters at all.
LOCALES = ["de_DE", "ja_JP", "en_GB", "es_ES", "es_CL", "en_PH", "no_NO", "ar_EG", "el_GR", "uk_UA", "zh_TW"]


def written(n: int, **options: object) -> bytes:
    file = io.BytesIO()
    write_contacts(file, n, **options)  # type: ignore[arg-type]  # options vary from test to test
    return file.getvalue()


def read_back(content: bytes, encoding: str = "utf-8-sig", delimiter: str = ",") -> list[dict[str, str]]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    return list(csv.DictReader(text, delimiter=delimiter, strict=True))


def core_verdict(file: ContactsFile, connector: str) -> tuple[list[dict[str, object]], str | None]:
    """Errors and abort text as the core's own reader and checks find them, each row a batch of its own."""
    definition = built_in(connector).objects[file.object]
    errors: list[dict[str, object]] = []
    taken: set[object] = set()
    broken = ""
    for chunk in core_rows.read(io.BytesIO(file.bytes), "csv", 10):
        for row, values in enumerate(chunk.rows, chunk.first):
            faults = [
                check_column(definition.fields[name], [value])[1].get(0)
                for name, value in zip(chunk.columns, values, strict=True)
            ]
            key = values[chunk.columns.index(KEYS[file.object])]
            if not any(faults) and key in taken:
                faults = [conflict(KEYS[file.object])]
            taken.add(key)
            errors += [{"rowNum": row, "status": fault} for fault in faults if fault]
        broken = chunk.broken
    return errors, broken or None


class TestTheFile:
    @pytest.mark.parametrize(
        ("connector", "object_name", "header"),
        [
            (
                "marketing",
                "contact",
                b"C_EmailAddress,C_FirstName,C_LastName,C_Title,C_BusPhone,C_Company,C_Website1",
            ),
            ("sqlserver", "contacts", b"contact_id,first_name,last_name,email,phone,street1,street2,state"),
            ("sage200", "customers", b"reference,name,website"),
        ],
    )
    def test_has_the_columns_of_the_object(self, connector: str, object_name: str, header: bytes) -> None:
        content = written(2, connector=connector, object=object_name)
        assert content.splitlines()[0] == header
        assert len(read_back(content)) == 2

    def test_of_no_contacts_is_a_header(self) -> None:
        assert (
            written(0) == b"C_EmailAddress,C_FirstName,C_LastName,C_Title,C_BusPhone,C_Company,C_Website1\n"
        )

    @pytest.mark.parametrize("n", [1, 9_999, 10_000, 10_001, 20_000])
    def test_has_as_many_rows_as_asked_for(self, n: int) -> None:
        assert len(read_back(written(n))) == n

    @pytest.mark.parametrize(("connector", "object_name"), OBJECTS)
    def test_repeats_no_key_and_no_address(self, connector: str, object_name: str) -> None:
        rows = read_back(written(50_000, connector=connector, object=object_name))
        for column in {KEYS[object_name], "email", "C_EmailAddress"} & set(rows[0]):
            assert len({row[column].lower() for row in rows}) == 50_000

    def test_counts_keys_through_in_eight_characters(self) -> None:
        rows = read_back(written(20_001, connector="sage200", object="customers"))
        assert [row["reference"] for row in rows] == [str(10_000 + at) for at in range(20_001)]

    def test_has_addresses_that_belong_to_nobody(self) -> None:
        assert all(row["C_EmailAddress"].endswith(".example.com") for row in read_back(written(500)))

    def test_has_empty_cells_and_odd_phones_as_the_sample_has(self) -> None:
        rows = read_back(written(10_000))
        empty = {column: sum(not row[column] for row in rows) / 10_000 for column in rows[0]}
        assert 0.1 < empty["C_Title"] < 0.3
        assert 0.1 < empty["C_BusPhone"] < 0.3
        assert 0.03 < empty["C_Website1"] < 0.2
        assert empty["C_EmailAddress"] == empty["C_FirstName"] == empty["C_LastName"] == 0
        odd = sum(")" in row["C_BusPhone"] and "(" not in row["C_BusPhone"] for row in rows)
        assert 0 < odd < 1_000

    def test_does_not_repeat_names_in_a_handful(self) -> None:
        """Ten contacts have ten draws of Faker; only large files combine a pool."""
        rows = read_back(written(10, seed=1))
        assert len({row["C_Website1"] for row in rows if row["C_Website1"]}) >= 7
        assert len({(row["C_FirstName"], row["C_LastName"]) for row in rows}) == 10

    @pytest.mark.parametrize(("connector", "object_name"), OBJECTS)
    @pytest.mark.parametrize("locale", ["en_US", *LOCALES])
    def test_passes_the_core_in_any_locale(self, locale: str, connector: str, object_name: str) -> None:
        file = contacts(30, connector=connector, object=object_name, locale=locale)
        assert core_verdict(file, connector) == ([], None)
        assert read_back(file.bytes) == file.rows
        assert all(
            value == value.strip() and value.isprintable() for row in file.rows for value in row.values()
        )

    def test_speaks_the_language_of_its_locale(self) -> None:
        assert any("ü" in row["C_LastName"] for row in read_back(written(1_000, locale="de_DE")))
        assert not any(row["C_LastName"].isascii() for row in read_back(written(100, locale="ja_JP")))


class TestTheSeed:
    @pytest.mark.parametrize("seed", [0, 7, "tests/test_app.py::test_upload[a-b]", "Grüße", "\ud800"])
    def test_gives_the_same_bytes_twice(self, seed: int | str) -> None:
        assert written(300, seed=seed) == written(300, seed=seed)

    @pytest.mark.parametrize("locale", LOCALES)
    def test_gives_the_same_bytes_after_other_files(self, locale: str) -> None:
        first = written(50, locale=locale, seed=1)
        written(50, locale=locale, seed=2)
        written(50, locale="en_US", seed=1)
        assert written(50, locale=locale, seed=1) == first

    def test_gives_the_same_bytes_in_threads(self) -> None:
        """A Faker is kept between files, so two threads must not draw from it in turns."""
        with ThreadPoolExecutor(8) as threads:
            drawn = list(threads.map(lambda seed: written(200, seed=seed % 4), range(32)))
        assert drawn == [written(200, seed=seed % 4) for seed in range(32)]

    def test_gives_the_same_bytes_in_another_process(self) -> None:
        """`hash()` of a text differs from process to process; a seed must not."""
        program = (
            "import sys; from pytest_ocbulk.contacts import write_contacts;"
            "write_contacts(sys.stdout.buffer, 300, seed='a test')"
        )
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
        assert ran.stdout == written(300, seed="a test")

    @pytest.mark.parametrize(("one", "other"), [(0, 1), ("a", "b"), (0, ""), ("test[1]", "test[2]")])
    def test_gives_other_bytes_when_it_differs(self, one: int | str, other: int | str) -> None:
        ours, theirs = read_back(written(300, seed=one)), read_back(written(300, seed=other))
        equal = sum(a["C_FirstName"] == b["C_FirstName"] for a, b in zip(ours, theirs, strict=True))
        assert equal < 30

    def test_is_the_same_as_number_and_as_text(self) -> None:
        """A command line knows text only: `--seed 7` must mean seed=7."""
        assert written(20, seed=7) == written(20, seed="7")

    @pytest.mark.parametrize(
        ("options", "digest"),
        [
            ({}, "c9ebbc18d1ec0a46"),
            ({"locale": "de_DE", "encoding": "utf-16", "newline": "\r\n"}, "2d2420c6bec884d3"),
            ({"connector": "sqlserver", "object": "contacts", "locale": "ja_JP"}, "31475b6ac136f607"),
            ({"connector": "sage200", "object": "customers", "delimiter": ";"}, "b73100c0e591bede"),
        ],
    )
    def test_gives_the_bytes_of_record(self, options: dict[str, str], digest: str) -> None:
        """Pinned for the version of Faker in constraints.txt; another version may draw other people."""
        import faker

        pinned = Path(__file__).parent.parent.joinpath("constraints.txt").read_text(encoding="utf-8")
        if f"Faker=={faker.VERSION}\n" not in pinned:
            pytest.skip(f"the digests are pinned for another version of Faker than {faker.VERSION}")
        assert hashlib.sha256(written(12_000, seed=7, **options)).hexdigest()[:16] == digest


class TestTheLayout:
    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ".", " ", "@", "'"])
    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-7"]
    )
    def test_is_read_back_by_the_csv_module(self, encoding: str, delimiter: str, newline: str) -> None:
        layout = {"encoding": encoding, "delimiter": delimiter, "newline": newline}
        file = contacts(40, locale="de_DE", **layout)  # type: ignore[arg-type]  # all of them are text
        assert read_back(file.bytes, encoding, delimiter) == contacts(40, locale="de_DE").rows == file.rows
        assert file.bytes == written(40, locale="de_DE", **layout)

    @pytest.mark.parametrize(
        ("encoding", "bom", "start"),
        [
            ("utf-8", False, b"C_"),
            ("utf-8", True, b"\xef\xbb\xbfC_"),
            ("utf-8-sig", False, b"\xef\xbb\xbfC_"),
            ("utf-16", False, b"\xff\xfeC\0"),
            ("utf-16-be", False, b"\0C"),
            ("utf-16-be", True, b"\xfe\xff\0C"),
        ],
    )
    def test_has_its_mark_once_and_at_the_start(self, encoding: str, bom: bool, start: bytes) -> None:
        content = written(20_001, encoding=encoding, bom=bom)
        assert content.startswith(start)
        text = content.decode(encoding)
        assert text.count("\ufeff") == (encoding not in ("utf-8-sig", "utf-16") and bom)
        assert len(text.splitlines()) == 20_002

    def test_quotes_a_value_that_holds_the_delimiter(self) -> None:
        lines = written(50, delimiter=".").decode().splitlines()
        assert all(line.startswith('"') for line in lines[1:])

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            (
                {"encoding": "utf9"},
                "unknown encoding 'utf9'; did you mean 'utf-8'?",
            ),
            (
                {"encoding": "klingon"},
                "unknown encoding 'klingon'; use a text encoding of Python, such as 'utf-8'",
            ),
            (
                {"encoding": "base64"},
                "unknown encoding 'base64'; did you mean 'base64-codec'?",
            ),
            (
                {"encoding": "punycode"},
                "encoding 'punycode' cannot be written in pieces; use another, such as 'utf-8'",
            ),
            (
                {"encoding": "latin-1", "bom": True},
                "encoding 'latin-1' has no byte order mark; leave out bom=True or use 'utf-8'",
            ),
            (
                {"delimiter": ", "},
                "delimiter must be one character, not a letter, a digit, a quote, a line end or NUL; got ', '",
            ),
            (
                {"delimiter": ""},
                "delimiter must be one character, not a letter, a digit, a quote, a line end or NUL; got ''",
            ),
            (
                {"delimiter": "4"},
                "delimiter must be one character, not a letter, a digit, a quote, a line end or NUL; got '4'",
            ),
            ({"newline": "\n\r"}, "newline must be '\\n', '\\r\\n' or '\\r', got '\\n\\r'"),
            ({"locale": "de_ED"}, "unknown locale 'de_ED'; did you mean 'de_DE'?"),
            (
                {"locale": "xx"},
                "unknown locale 'xx'; use one of Faker's, such as 'en_US' or 'de_DE'",
            ),
            (
                {"connector": "marketting"},
                "no contacts for connector 'marketting'; did you mean 'marketing'?",
            ),
            (
                {"connector": "hubspot"},
                "no contacts for connector 'hubspot'; known are marketing, sage200, sqlserver",
            ),
            (
                {"object": "contacts"},
                "no contacts for object 'contacts' of marketing; did you mean 'contact'?",
            ),
            (
                {"connector": "sage200", "object": "banks"},
                "no contacts for object 'banks' of sage200; known are contact, customers",
            ),
        ],
    )
    def test_is_refused_when_it_cannot_be_written(self, options: dict[str, object], text: str) -> None:
        with pytest.raises(OcBulkError) as refusal:
            written(3, **options)
        assert str(refusal.value) == text

    def test_is_refused_when_the_encoding_lacks_a_character(self, tmp_path: Path) -> None:
        target = tmp_path / "contacts.csv"
        with pytest.raises(OcBulkError) as refusal:
            write_contacts(target, 3, locale="ja_JP", encoding="latin-1")
        value = read_back(written(3, locale="ja_JP"))
        assert any(
            str(refusal.value)
            == f"encoding 'latin-1' has no characters for {row['C_FirstName']!r} (C_FirstName, locale ja_JP); "
            "use encoding='utf-8' or another locale"
            for row in value
        )
        assert not target.exists()

    def test_is_refused_when_the_locale_lacks_a_provider(self) -> None:
        recipe = Recipe("marketing", "contact", (Column("C_Title", ("{{shoe_size}}", "{{hat_size}}")),))
        with pytest.raises(OcBulkError) as refusal:
            draw_pools(recipe, 3, "de_DE", 0, Layout())
        assert str(refusal.value) == (
            "locale 'de_DE' has no shoe_size or hat_size in this version of Faker, needed for C_Title"
        )

    @pytest.mark.parametrize("n", [-1, 99_990_001])
    def test_is_refused_for_an_impossible_number(self, n: int) -> None:
        with pytest.raises(OcBulkError) as refusal:
            written(n)
        assert str(refusal.value) == f"the number of contacts must be between 0 and 99990000, got {n}"


class TestAStream:
    def test_goes_to_a_path_or_an_open_file_alike(self, tmp_path: Path) -> None:
        target = tmp_path / "contacts.csv"
        target.write_bytes(b"something older and longer" * 10_000)
        write_contacts(target, 100, seed=3)
        write_contacts(str(tmp_path / "again.csv"), 100, seed=3)
        assert target.read_bytes() == (tmp_path / "again.csv").read_bytes() == written(100, seed=3)

    def test_tells_its_progress_in_rows(self) -> None:
        told: list[tuple[int, int]] = []
        written(25_000, progress=lambda done, of: told.append((done, of)))
        assert told == [(10_000, 25_000), (20_000, 25_000), (25_000, 25_000)]

    def test_takes_no_more_memory_for_more_rows(self) -> None:
        """After the sixteen blocks that take turns are made, 840,000 further rows add nothing."""
        peaks: dict[int, int] = {}

        def note(done: int, of: int) -> None:
            if done in (160_000, of):
                peaks[done] = tracemalloc.get_traced_memory()[1]
                tracemalloc.reset_peak()

        with Path(os.devnull).open("wb") as sink:
            tracemalloc.start()
            try:
                write_contacts(sink, 1_000_000, connector="sage200", object="customers", progress=note)
            finally:
                tracemalloc.stop()
        assert peaks[1_000_000] < peaks[160_000] + 1_000_000
        assert peaks[1_000_000] < 50_000_000

    def test_leaves_faker_alone_until_it_is_asked_for(self) -> None:
        program = (
            "import sys, pytest_ocbulk.contacts;"
            "print({'faker', 'pytest', 'requests', 'sqlite3'} & set(sys.modules))"
        )
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert ran.stdout == "set()\n"


class TestAFileInHand:
    def test_is_the_file_that_is_written(self) -> None:
        assert contacts(200, seed="x").bytes == written(200, seed="x")
        assert contacts(200, seed="x").rows == read_back(written(200, seed="x"))

    def test_without_defects_has_only_good_rows(self) -> None:
        file = contacts(20)
        assert file.good_rows == file.rows
        assert (file.bad_rows, file.expected_errors, file.expected_abort) == ([], [], None)
        assert file.columns == tuple(file.rows[0])

    def test_is_on_disk_once_its_path_is_asked_for(self, tmp_path: Path) -> None:
        file = contacts(5, directory=tmp_path)
        assert list(tmp_path.iterdir()) == []
        assert file.path.read_bytes() == file.bytes
        assert file.path.name.startswith("contact-")
        assert contacts(5, seed=1, directory=tmp_path).path != file.path
        assert contacts(5, directory=tmp_path).path == file.path

    def test_has_no_path_without_a_directory(self) -> None:
        with pytest.raises(OcBulkError) as refusal:
            _ = contacts(5).path
        assert str(refusal.value) == (
            "these contacts have no directory to be written to; make them with "
            "contacts(..., directory=tmp_path), or take their .bytes"
        )


class TestDefects:
    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize(("connector", "object_name"), OBJECTS)
    def test_cause_exactly_the_errors_foretold(self, connector: str, object_name: str, seed: int) -> None:
        kinds = {"duplicate": 3, "too_long": 2}
        kinds |= {"missing": 2} if object_name != "contacts" else {"type": 2}
        kinds |= {"email": 2} if object_name != "customers" else {}
        file = contacts(40, connector=connector, object=object_name, seed=seed, bad=kinds)
        assert core_verdict(file, connector) == (file.expected_errors, None)
        assert len(file.expected_errors) == len(file.bad_rows) == sum(kinds.values())
        assert len(file.good_rows) == 40 - sum(kinds.values())
        assert file.rows == read_back(file.bytes)

    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize(("connector", "object_name"), OBJECTS)
    @pytest.mark.parametrize("kind", ["quoting", "extra_column", "nul", "surrogate"])
    def test_break_the_file_exactly_as_foretold(
        self, kind: str, connector: str, object_name: str, seed: int
    ) -> None:
        bad = {kind: 1, "duplicate": 4}
        file = contacts(30, connector=connector, object=object_name, seed=seed, bad=bad)
        assert file.expected_abort is not None
        assert core_verdict(file, connector) == (file.expected_errors, file.expected_abort)
        broken_at = int(file.expected_abort.split()[1].rstrip(":"))
        assert len(file.good_rows) + len(file.bad_rows) == broken_at
        assert file.bad_rows[-1] == file.rows[broken_at - 1]

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            ("email", "{local} at {domain}: Invalid email address in C_EmailAddress"),
            ("missing", "C_EmailAddress: A value is required"),
            ("duplicate", "Conflicts Found - C_EmailAddress"),
            ("too_long", "{long}x: Longer than 100 characters in C_FirstName"),
        ],
    )
    def test_of_values_are_worded_as_agreed(self, kind: str, text: str) -> None:
        clean = contacts(2, seed=4).rows[1]
        local, domain = clean["C_EmailAddress"].split("@")
        words = text.format(local=local, domain=domain, long=(clean["C_FirstName"] * 100)[:100])
        assert contacts(2, seed=4, bad={kind: 1}).expected_errors == [{"rowNum": 2, "status": words}]

    def test_of_type_are_worded_as_agreed(self) -> None:
        file = contacts(2, connector="sqlserver", object="contacts", bad={"type": 1})
        assert file.expected_errors == [{"rowNum": 2, "status": "x10001: Not a valid integer in contact_id"}]

    @pytest.mark.parametrize(
        ("kind", "text", "raw"),
        [
            ("quoting", "Row 2: unclosed quote", b',"'),
            ("extra_column", "Row 2: expected 7 columns as in the header, got 8", b",extra\n"),
            ("nul", "Row 2: contains a NUL character", b"\0"),
            ("surrogate", "Row 2: not valid UTF-8", b"\xed\xa0\x80"),
        ],
    )
    def test_of_form_are_worded_as_agreed(self, kind: str, text: str, raw: bytes) -> None:
        file = contacts(2, bad={kind: 1})
        assert file.expected_abort == text
        assert raw in file.bytes
        assert file.good_rows == file.rows[:1]
        assert file.expected_errors == []

    def test_repeat_the_key_of_an_earlier_good_row(self) -> None:
        file = contacts(10, bad={"duplicate": 8}, seed=2)
        good = {row["C_EmailAddress"] for row in file.good_rows}
        assert len(good) == 2
        assert {row["C_EmailAddress"] for row in file.bad_rows} <= good

    def test_spare_the_first_row(self) -> None:
        for seed in range(30):
            assert contacts(3, bad={"email": 2}, seed=seed).good_rows[0] == contacts(3, seed=seed).rows[0]

    def test_are_spread_by_the_seed(self) -> None:
        places = [
            [error["rowNum"] for error in contacts(50, bad={"email": 3}, seed=seed).expected_errors]
            for seed in (1, 2, 1)
        ]
        assert places[0] == places[2] != places[1]

    def test_do_not_depend_on_the_order_they_are_named_in(self) -> None:
        one = contacts(20, bad={"email": 2, "missing": 1, "nul": 1})
        assert contacts(20, bad={"nul": 1, "missing": 1, "email": 2}) == one

    def test_leave_the_other_rows_as_they_are(self) -> None:
        clean, file = contacts(20, seed=9).rows, contacts(20, seed=9, bad={"email": 3}).rows
        assert sum(one != other for one, other in zip(clean, file, strict=True)) == 3

    def test_of_number_zero_change_nothing(self) -> None:
        assert contacts(0, bad={"email": 0}).bytes == written(0)
        assert contacts(4, bad=dict.fromkeys(BAD_KINDS, 0) | {"type": 0}).bytes == written(4)

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({"bad": {"emial": 1}}, "bad: unknown kind 'emial'; did you mean 'email'?"),
            (
                {"bad": {"sloppy": 1}},
                (
                    "bad: unknown kind 'sloppy'; known are duplicate, email, extra_column, missing, nul, quoting, "
                    "surrogate, too_long, type"
                ),
            ),
            ({"bad": {"email": -1}}, "bad: the number of 'email' rows cannot be negative, got -1"),
            (
                {"bad": {"type": 1}},
                "bad: marketing contact has no column for 'type'; objects that have one: sqlserver contacts",
            ),
            (
                {"bad": {"email": 1}, "connector": "sage200", "object": "customers"},
                (
                    "bad: sage200 customers has no column for 'email'; objects that have one: marketing contact, "
                    "sqlserver contacts, sqlserver contact, sage200 contact"
                ),
            ),
            (
                {"bad": {"missing": 1}, "connector": "sqlserver", "object": "contacts"},
                (
                    "bad: sqlserver contacts has no column for 'missing'; objects that have one: marketing contact, "
                    "sqlserver contact, sage200 customers, sage200 contact"
                ),
            ),
            (
                {"bad": {"email": 3, "missing": 2}},
                "bad: 5 bad rows need at least 6 contacts, since the first stays good; got 5",
            ),
            (
                {"bad": {"nul": 1, "quoting": 1}},
                "bad: one defect breaks the whole file, so ask for one only; got quoting, nul",
            ),
            (
                {"bad": {"nul": 2}},
                "bad: one defect breaks the whole file, so ask for one only; got nul, nul",
            ),
            (
                {"bad": {"email": 1}, "encoding": "utf-16"},
                (
                    "bad: the service reads UTF-8 and commas only, so the errors of any other file cannot be "
                    "foretold; got encoding 'utf-16' and delimiter ','"
                ),
            ),
        ],
    )
    def test_are_refused_when_they_cannot_be_made(self, options: dict[str, object], text: str) -> None:
        with pytest.raises(OcBulkError) as refusal:
            contacts(5, **options)  # type: ignore[arg-type]  # options vary from case to case
        assert str(refusal.value) == text

    def test_are_foretold_behind_a_byte_order_mark_too(self) -> None:
        file = contacts(10, bad={"email": 2}, bom=True)
        assert file.bytes.startswith(b"\xef\xbb\xbf")
        assert core_verdict(file, "marketing") == (file.expected_errors, None)
