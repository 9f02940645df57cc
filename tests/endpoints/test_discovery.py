"""Objects, their metadata and documents, health (protocol.md 8, 12)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator  # type: ignore[import-untyped]  # ships no types
from openapi_spec_validator import OpenAPIV2SpecValidator

from pytest_ocbulk.emulator.connectors import BUILT_IN, built_in
from pytest_ocbulk.emulator.dialect import DOCUMENTED, LIVE

from .service import Service, connector

WALK_THROUGH = ["activities", "contact", "campaign", "list", "account"]
OBJECTS = [(key, name) for key in BUILT_IN for name in built_in(key).objects]


def fields(service: Service, target: str) -> dict[str, Any]:
    return {each["vendorPath"]: each for each in service.get(target).json["fields"]}


class TestObjects:
    @pytest.mark.parametrize("key", BUILT_IN)
    def test_the_documented_list_is_the_walk_throughs_on_every_connector(self, key: str) -> None:
        service = Service.of(key, DOCUMENTED)
        for path in ("/objects", "/hubs/marketing/objects", "/hubs/invented/objects"):
            assert service.get(path).json == WALK_THROUGH

    def test_the_live_list_is_what_the_connectors_evidence_names(self) -> None:
        assert Service.of("sqlserver", LIVE).get("/objects").json == [
            "Company",
            "contacts",
            "ContactS",
            "CE_TEST",
            "SampleTable",
            "Test",
        ]

    @pytest.mark.parametrize(("key", "name"), OBJECTS)
    def test_every_object_is_usable_in_both_dialects(self, key: str, name: str) -> None:
        for dialect in (DOCUMENTED, LIVE):
            assert Service.of(key, dialect).get(f"/{name}").status == 200

    def test_in_the_helium_form_objects_have_a_vendor_name_and_a_type(self) -> None:
        listed = Service.of("sage200").get("/objects", Elements_Version="Helium").json
        assert listed[1] == {"name": "invoices", "vendorName": "sales_invoices", "type": "vendor"}
        assert Service.of("sage200").get("/objects", Elements_Version="Hydrogen").json[1] == "invoices"

    def test_a_wrong_hub_is_ignored_unless_the_quirk_heeds_it(self) -> None:
        assert Service.of("sqlserver").get("/hubs/marketing/objects").status == 200
        strict = Service.of("sqlserver", hub_checked=True)
        assert strict.get("/hubs/db/objects").status == 200
        assert strict.get("/objects").status == 200
        reply = strict.get("/hubs/marketing/objects")
        assert (reply.status, reply.message) == (
            404,
            "The element instance is in hub 'db', not in 'marketing'",
        )


class TestMetadata:
    def test_a_field_has_the_keys_of_section_8(self) -> None:
        assert fields(Service.of("sqlserver"), "/objects/contacts/metadata")["contact_id"] == {
            "vendorPath": "contact_id",
            "type": "number",
            "vendorNativeType": "int",
            "mask": None,
            "format": None,
            "vendorReadOnly": False,
            "vendorRequired": False,
            "filterable": True,
            "createable": True,
            "updateable": False,
            "custom": False,
        }

    def test_dates_have_a_mask_and_read_only_fields_are_not_createable(self) -> None:
        changed = fields(Service.of("sage200"), "/objects/customers/metadata")["date_time_updated"]
        assert (changed["type"], changed["mask"]) == ("date", "yyyy-MM-dd'T'HH:mm:ss.SSS")
        assert (changed["vendorReadOnly"], changed["createable"], changed["updateable"]) == (
            True,
            False,
            False,
        )

    def test_required_fields_say_so(self) -> None:
        assert fields(Service.of(), "/objects/contact/metadata")["C_EmailAddress"]["vendorRequired"] is True

    def test_booleans_are_texts_by_quirk(self) -> None:
        service = Service.of(metadata_booleans="string")
        assert fields(service, "/objects/contact/metadata")["C_EmailAddress"]["vendorRequired"] == "true"

    def test_names_and_descriptions_are_there_where_the_connector_gives_them(self, tmp_path: Path) -> None:
        own = connector(
            tmp_path,
            '[objects.o.fields]\na = { display_name = "A", description = "The a", custom = true }\nb = {}\n',
        )
        found = fields(Service.of(own), "/objects/o/metadata")
        assert (found["a"]["vendorDisplayName"], found["a"]["description"]) == ("A", "The a")
        assert "description" not in found["b"]

    def test_custom_fields_only(self, tmp_path: Path) -> None:
        service = Service.of(connector(tmp_path, "[objects.o.fields]\na = { custom = true }\nb = {}\n"))
        target = "/objects/o/metadata?customFieldsOnly="
        assert list(fields(service, target + "true")) == ["a"]
        assert list(fields(service, target + "false")) == ["a", "b"]

    def test_an_object_without_declared_fields_has_those_of_its_records(self) -> None:
        service = Service.of()
        assert list(fields(service, "/objects/activities/metadata")) == ["id"]
        service.fill("activities", {"name": "x", "at": {"city": "Rome"}})
        assert list(fields(service, "/objects/activities/metadata")) == ["id", "name", "at.city"]

    @pytest.mark.parametrize("what", ["metadata", "docs"])
    def test_an_unknown_object_is_404(self, what: str) -> None:
        reply = Service.of().get(f"/objects/nope/{what}")
        assert (reply.status, reply.message) == (404, "Object 'nope' does not exist")


class TestDocs:
    """The judge of the documents is the Swagger 2.0 schema; of the records the documents."""

    @pytest.mark.parametrize(("key", "name"), OBJECTS)
    def test_every_document_is_valid_swagger(self, key: str, name: str) -> None:
        service = Service.of(key)
        document = service.get(f"/objects/{name}/docs?version=-1&basic=true&resolveReferences=true").json
        assert document["swagger"] == "2.0"
        assert list(document) == [
            "swagger", "info", "host", "basePath", "schemes", "tags", "paths", "definitions"
        ]  # fmt: skip
        OpenAPIV2SpecValidator(document).validate()

    def test_the_definition_names_the_primary_key(self) -> None:
        document = Service.of("sqlserver").get("/objects/Company/docs").json
        assert document["definitions"]["Company"]["x-primary-key"] == "CompanyId"

    def test_paths_are_those_that_answer(self) -> None:
        service = Service.of()
        paths = service.get("/objects/contact/docs").json["paths"]
        assert {path: sorted(calls) for path, calls in paths.items()} == {
            "/contact": ["get", "post"],
            "/contact/{id}": ["delete", "get", "patch", "put"],
        }
        service.fill("contact", {"C_EmailAddress": "a@b.co"})
        for path, calls in paths.items():
            for call in calls:
                assert service.ask(call.upper(), path.replace("{id}", "1"), {}).status in (200, 400)

    def test_a_table_without_a_single_key_has_neither_key_nor_calls_by_id(self, tmp_path: Path) -> None:
        own = connector(tmp_path, '[objects.links]\nprimary_key = ""\n[objects.links.fields]\na = {}\n')
        document = Service.of(own).get("/objects/links/docs").json
        OpenAPIV2SpecValidator(document).validate()
        assert list(document["paths"]) == ["/links"]
        assert "x-primary-key" not in document["definitions"]["links"]

    def test_records_are_what_the_document_says_and_others_are_not(self) -> None:
        service = Service.of()
        schema = service.get("/objects/contact/docs").json["definitions"]["contact"]
        validator = Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)
        (record,) = service.fill("contact", {"C_EmailAddress": "ann@acme.com", "C_FirstName": "Ann"})
        assert validator.is_valid(record)
        assert not validator.is_valid({"C_FirstName": "Ann"})
        assert not validator.is_valid(record | {"C_FirstName": "x" * 101})
        assert not validator.is_valid(record | {"C_EmailAddress": "ann"})

    def test_the_host_is_that_of_the_request(self) -> None:
        document = Service.of().get("/objects/contact/docs", Host="127.0.0.1:8080").json
        assert (document["host"], document["basePath"]) == ("127.0.0.1:8080", "/elements/api-v2")


def test_ping_says_which_connector_answers_and_when() -> None:
    assert Service.of("sqlserver").get("/ping").json == {
        "dateTime": "2024-01-01T00:00:00.000Z",
        "endpoint": "sqlserver",
        "valid": True,
    }
