"""Connector files: what is read from them, and each refusal letter by letter."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ocbulk.emulator.connectors import (
    BUILT_IN,
    WHOLE_FILE,
    FieldDefinition,
    ObjectDefinition,
    built_in,
    find,
    load,
)
from pytest_ocbulk.emulator.errors import OcBulkError

THE_PAGES_OBJECTS = ("activities", "contact", "campaign", "list", "account")


def written(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


# -- the built-in ones --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "hub", "number", "batch_size", "list_cap"),
    [
        ("marketing", "marketing", 23, 1, None),
        ("sage200", "finance", 5182, 1, None),
        ("sqlserver", "db", 490, WHOLE_FILE, 50),
    ],
)
def test_a_built_in_connector_is_as_its_pages_say(
    key: str, hub: str, number: int, batch_size: int, list_cap: int | None
) -> None:
    found = built_in(key)
    assert (found.key, found.hub, found.id, found.batch_size, found.list_cap) == (
        key,
        hub,
        number,
        batch_size,
        list_cap,
    )


def test_the_built_in_connectors_are_three() -> None:
    assert BUILT_IN == ("marketing", "sage200", "sqlserver")


@pytest.mark.parametrize("key", BUILT_IN)
def test_every_built_in_connector_lists_the_pages_objects_in_the_pages_order(key: str) -> None:
    connector = built_in(key)
    assert connector.object_names("documented") == THE_PAGES_OBJECTS
    assert set(THE_PAGES_OBJECTS) < {*connector.objects, "more"}


def test_in_the_live_dialect_each_lists_what_the_vendors_tests_use() -> None:
    assert built_in("marketing").object_names("live") == THE_PAGES_OBJECTS
    assert built_in("sage200").object_names("live") == (
        "customers", "invoices", "payments", "payments/receipts", "products", "products/groups", "products/prices",
        "banks", "transactions",
    )  # fmt: skip
    assert built_in("sqlserver").object_names("live") == (
        "Company", "contacts", "ContactS", "CE_TEST", "SampleTable", "Test",
    )  # fmt: skip


def test_the_contact_of_the_page_is_known_by_its_address() -> None:
    contact = built_in("sage200").objects["contact"]
    assert contact.fields["C_EmailAddress"] == FieldDefinition(
        "C_EmailAddress", required=True, unique=True, format="email", max_length=254
    )
    assert contact.unique_fields == ("C_EmailAddress",)
    assert contact.declared
    assert not built_in("marketing").objects["list"].declared


def test_an_unknown_connector_is_refused_with_the_nearest() -> None:
    with pytest.raises(OcBulkError) as refusal:
        built_in("sqlsever")
    assert str(refusal.value) == "unknown connector 'sqlsever'; did you mean 'sqlserver'?"


@pytest.mark.parametrize(
    ("segments", "folded"),
    [
        (("products", "groups"), ("products/groups",)),
        (("products", "groups", "7"), ("products/groups", "7")),
        (("bulk", "products", "prices"), ("bulk", "products/prices")),
        (("products", "7"), ("products", "7")),
        (("products",), ("products",)),
        ((), ()),
    ],
)
def test_two_segments_that_name_an_object_become_one(
    segments: tuple[str, ...], folded: tuple[str, ...]
) -> None:
    assert built_in("sage200").fold(segments) == folded


# -- a user's own file --------------------------------------------------------------------------------------

OWN = """
key = "own"
name = "Our own"
hub = "crm"
id = 7
includes = ["marketing"]
batch_size = "file"
list_cap = 10
script_queries = true

[listed]
documented = ["people"]

[configuration]
required = ["url"]
secret = ["key"]

[quirks]
json_shape = "array"

[objects.people]
primary_key = "number"
vendor_name = "Person"
upload = false
download = false
requires_one_of = ["email", "number"]
answers = "urn"
visible_after = 2.5

[objects.people.fields]
number = { type = "integer", unique = true, native_type = "int" }
email = { required = true, format = "email", max_length = 50 }
code = { pattern = "[A-Z]+" }
urn = {}
changed = { type = "datetime", source = "updated", read_only = true }
"""


def test_a_users_own_file_has_all_there_is(tmp_path: Path) -> None:
    own = find(str(written(tmp_path, OWN)))
    assert (own.key, own.name, own.hub, own.id) == ("own", "Our own", "crm", 7)
    assert (own.batch_size, own.list_cap, own.script_queries) == (WHOLE_FILE, 10, True)
    assert (own.required_configuration, own.secret_configuration) == (("url",), ("key",))
    assert dict(own.quirks) == {"json_shape": "array"}
    assert own.object_names("documented") == ("people",)
    assert own.object_names("live") == (*THE_PAGES_OBJECTS, "people")
    assert own.objects["people"] == ObjectDefinition(
        "people",
        fields={
            "number": FieldDefinition("number", type="integer", unique=True, native_type="int"),
            "email": FieldDefinition("email", required=True, format="email", max_length=50),
            "code": FieldDefinition("code", pattern="[A-Z]+"),
            "urn": FieldDefinition("urn"),
            "changed": FieldDefinition("changed", type="datetime", source="updated", read_only=True),
        },
        primary_key="number",
        vendor_name="Person",
        upload=False,
        download=False,
        requires_one_of=("email", "number"),
        answers="urn",
        visible_after=2.5,
    )


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    own = load(written(tmp_path, 'key = "a"\nname = "b"\nhub = "c"\n'))
    assert (own.objects, own.batch_size, own.object_names("live")) == ({}, 1, ())


HEAD = 'key = "own"\nname = "Our own"\nhub = "crm"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('name = "b"\nhub = "c"', "key is missing; a connector has key, name and hub"),
        ('key = "b"\nhub = "c"', "name is missing; a connector has key, name and hub"),
        ('key = "b"\nname = "c"', "hub is missing; a connector has key, name and hub"),
        (HEAD + "bach_size = 1", "bach_size is not a key of a connector file; did you mean 'batch_size'?"),
        (HEAD + "batch_size = 0", "batch_size is a number of rows from 1, or 'file', got 0"),
        (HEAD + "batch_size = true", "batch_size is a number of rows from 1, or 'file', got True"),
        (HEAD + "batch_size = 'all'", "batch_size is a number of rows from 1, or 'file', got 'all'"),
        (HEAD + "id = 'x'", "id must be a whole number, got 'x'"),
        (HEAD + "id = true", "id must be a whole number, got True"),
        (HEAD + "list_cap = 'x'", "list_cap must be a whole number, got 'x'"),
        (HEAD + "objects = 1", "objects must be a table, got 1"),
        (
            HEAD + "[objects.o]\nuplod = true",
            "objects.o.uplod is not a key of a connector file; did you mean 'upload'?",
        ),
        (HEAD + "[objects.o]\nupload = 1", "objects.o.upload must be true or false, got 1"),
        (HEAD + "[objects.o]\nfields = 1", "objects.o.fields must be a table, got 1"),
        (
            HEAD + "[objects.o.fields]\nf = { typ = 'string' }",
            "objects.o.fields.f.typ is not a key of a connector file; did you mean 'type'?",
        ),
        (
            HEAD + "[objects.o.fields]\nf = { required = 'yes' }",
            "objects.o.fields.f.required must be true or false, got 'yes'",
        ),
        (
            HEAD + "[objects.o.fields]\nf = { max_length = 'x' }",
            "objects.o.fields.f.max_length must be a whole number, got 'x'",
        ),
        (
            HEAD + "[objects.o.fields]\nf = { type = 'sting' }",
            "objects.o.fields.f.type is one of string, integer, number, boolean, date, datetime, got 'sting'",
        ),
        (
            HEAD + "[objects.o.fields]\nf = { format = 'phone' }",
            "objects.o.fields.f.format is one of email, got 'phone'",
        ),
        (
            HEAD + "[objects.o.fields]\nf = { source = 'create' }",
            "objects.o.fields.f.source is one of created, updated, got 'create'",
        ),
        (HEAD + "[listed]\nlive = ['o']\n[objects.ok]", "listed.live names 'o'; did you mean 'ok'?"),
        (
            HEAD + "[quirks]\njson_shap = 'x'",
            "quirks are wrong: unknown quirk 'json_shap'; did you mean 'json_shape'?",
        ),
        (
            HEAD + "[quirks]\njson_shape = 'x'",
            "quirks are wrong: quirk json_shape is one of 'lines', 'array', got 'x'",
        ),
        (
            HEAD + "[objects.o.fields]\nf = { pattern = '[' }",
            "objects.o.fields.f.pattern is not a regular expression: unterminated character set at position 0",
        ),
        (
            HEAD + "[objects.o]\nrequires_one_of = ['a']\n[objects.o.fields]\nb = {}",
            "objects.o.requires_one_of names 'a'; known are b",
        ),
        (HEAD + "list_cap = -1", "list_cap cannot be negative, got -1"),
        (HEAD + "includes = 'marketing'", "includes must be a list of texts, got 'marketing'"),
        (HEAD + "[objects]\no = 1", "objects.o must be a table, got 1"),
        (HEAD + "[objects.o.fields]\nf = 1", "objects.o.fields.f must be a table, got 1"),
        (
            HEAD + "[objects.o]\nname = 'p'",
            (
                "objects.o.name is not a key of a connector file; known are answers, download, fields, primary_key,"
                " requires_one_of, upload, vendor_name, visible_after"
            ),
        ),
        (HEAD + "[objects.o]\nvisible_after = 'x'", "objects.o.visible_after must be a number, got 'x'"),
        (
            HEAD + "[objects.o]\nrequires_one_of = 'a'",
            "objects.o.requires_one_of must be a list of texts, got 'a'",
        ),
        (
            HEAD + "required_configuration = ['a']",
            "required_configuration is not a key of a connector file; did you mean 'configuration'?",
        ),
        (
            HEAD + "[listed]\ndocumentd = []",
            "listed.documentd is not a key of a connector file; did you mean 'documented'?",
        ),
        (HEAD + "includes = ['marketng']", "includes names 'marketng'; did you mean 'marketing'?"),
        (
            HEAD + "[configuration]\nrequird = ['a']",
            "configuration.requird is not a key of a connector file; did you mean 'required'?",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_file_key_and_reason(tmp_path: Path, text: str, complaint: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(OcBulkError) as refusal:
        load(path)
    assert str(refusal.value) == f"{path}: {complaint}"


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "key = ")
    with pytest.raises(OcBulkError) as refusal:
        load(path)
    assert str(refusal.value) == f"{path}: not valid TOML: Invalid value (at end of document)"


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OcBulkError) as refusal:
        find(str(tmp_path / "none.toml"))
    assert str(refusal.value) == f"{tmp_path / 'none.toml'}: cannot be read: No such file or directory"
