"""Records one by one, in lists, and below a parent (protocol.md 9, 11)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from .service import Service, connector

ANN = {"C_EmailAddress": "ann@acme.com", "C_FirstName": "Ann"}
BOB = {"C_EmailAddress": "bob@acme.com", "C_FirstName": "Bob", "C_Title": "Director"}


@pytest.fixture
def service() -> Service:
    return Service.of()


def numbered(count: int, **quirks: Any) -> Service:
    """An instance with `count` activities whose `n` counts from 1."""
    service = Service.of(**quirks)
    service.fill("activities", *({"n": number} for number in range(1, count + 1)))
    return service


class TestOneRecord:
    """Calls by id (9.1)."""

    def test_everything_that_succeeds_answers_200(self, service: Service) -> None:
        created = service.post("/contact", ANN)
        assert (created.status, created.json) == (200, {"id": "1", **ANN})
        path = f"/contact/{created.json['id']}"
        assert (service.get(path).status, service.get(path).json) == (200, created.json)
        changed = service.ask("PATCH", path, {"C_Title": "Director"})
        assert (changed.status, changed.json) == (200, created.json | {"C_Title": "Director"})
        replaced = service.ask("PUT", path, BOB)
        assert (replaced.status, replaced.json) == (200, {"id": "1", **BOB})
        deleted = service.ask("DELETE", path)
        assert (deleted.status, deleted.body) == (200, b"")

    def test_put_empties_what_is_not_given(self, service: Service) -> None:
        service.fill("contact", BOB)
        assert service.ask("PUT", "/contact/1", ANN).json == {"id": "1", **ANN}

    @pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
    def test_an_unknown_id_is_404(self, service: Service, method: str) -> None:
        for there in ([], [BOB]):
            service.fill("contact", *there)
            reply = service.ask(method, "/contact/7", ANN)
            assert (reply.status, reply.message) == (404, "No contact found with id 7")

    def test_a_deleted_record_is_404(self, service: Service) -> None:
        service.fill("contact", ANN, BOB)
        service.ask("DELETE", "/contact/1")
        assert service.get("/contact/1").status == 404
        assert service.get("/contact").json == [{"id": "2", **BOB}]

    def test_a_unique_value_that_is_taken_is_409(self, service: Service) -> None:
        service.fill("contact", ANN, BOB)
        reply = service.post("/contact", ANN)
        assert (reply.status, reply.message) == (409, "A record with this C_EmailAddress already exists")
        reply = service.ask("PATCH", "/contact/2", {"C_EmailAddress": ANN["C_EmailAddress"]})
        assert (reply.status, reply.message) == (
            409,
            "Another record with this C_EmailAddress already exists",
        )
        assert service.get("/contact?returnCount=true").headers["elements-total-count"] == "2"

    @pytest.mark.parametrize(
        ("body", "status", "message"),
        [
            (b"", 400, "Expected a JSON body, got invalid JSON: Expecting value: line 1 column 1 (char 0)"),
            (b"[]", 400, "Expected a JSON object, got []"),
            (b"{}", 400, "C_EmailAddress: A value is required"),
            (b'{"C_EmailAddress": ""}', 400, "C_EmailAddress: A value is required"),
            (b'{"C_EmailAddress": "ann"}', 400, "ann: Invalid email address in C_EmailAddress"),
        ],
    )
    def test_a_wrong_body_is_400(self, service: Service, body: bytes, status: int, message: str) -> None:
        reply = service.post("/contact", body)
        assert (reply.status, reply.message) == (status, message)
        assert service.get("/contact").json == []

    def test_a_body_of_another_type_is_415(self, service: Service) -> None:
        reply = service.post("/contact", b"<x/>", Content_Type="application/xml")
        assert (reply.status, reply.message) == (
            415,
            "Expected Content-Type application/json, got application/xml",
        )
        assert service.post("/contact", b"{}", Content_Type="application/json; charset=utf-8").status == 400

    def test_a_body_beyond_eight_megabytes_is_413(self, service: Service) -> None:
        reply = service.post("/contact", b" " * (8 * 1024 * 1024 + 1))
        assert (reply.status, reply.message) == (
            413,
            "Expected a JSON body of at most 8388608 bytes, got 8388609",
        )

    def test_an_unknown_object_is_404(self, service: Service) -> None:
        reply = service.get("/nope")
        assert (reply.status, reply.message) == (404, "Object 'nope' does not exist")

    def test_nested_values_come_back_nested(self, service: Service) -> None:
        record = {"name": "x", "address": {"city": "Rome", "geo": {"lat": 1.5}}, "tags": ["a", {"b": None}]}
        (created,) = service.fill("account", record)
        assert created == {"id": 1, **record}

    def test_fields_choose_what_is_shown_dotted_or_a_whole_branch(self, service: Service) -> None:
        service.fill("account", {"name": "x", "address": {"city": "Rome", "zip": "1"}})
        assert service.get("/account/1?fields=address.city").json == {"address": {"city": "Rome"}}
        assert service.get("/account?fields=address,%20id").json == [
            {"address": {"city": "Rome", "zip": "1"}, "id": 1}
        ]
        assert service.get("/account/1?fields=nothing").json == {}

    def test_null_values_are_missing_keys_unless_the_configuration_shows_them(self, service: Service) -> None:
        service.fill("contact", ANN)
        assert "C_Title" not in service.get("/contact/1").json
        service.instance.configuration["filter.response.nulls"] = "false"
        assert service.get("/contact/1").json["C_Title"] is None
        assert Service.of(filter_nulls=False).fill("contact", ANN)[0]["C_Title"] is None


class TestLists:
    """Paging, order, conditions, counts and leniency (9.2)."""

    def test_page_one_and_two_of_n_are_page_one_of_twice_n(self) -> None:
        service = numbered(7)
        halves = [
            *service.get("/activities?page=1&pageSize=2").json,
            *service.get("/activities?page=2&pageSize=2").json,
        ]
        assert halves == service.get("/activities?page=1&pageSize=4").json
        assert [each["n"] for each in halves] == [1, 2, 3, 4]

    @pytest.mark.parametrize("order", ["", "&orderBy=n%20desc"])
    def test_tokens_lead_through_all_records_and_end(self, order: str) -> None:
        service, found, token = numbered(7), [], ""
        for size in (3, 3, 1):
            # The vendor's suite sends page and nextPage together on the second call: the token wins.
            reply = service.get(f"/activities?pageSize=3&page=1{order}&nextPage={token}")
            assert reply.headers["elements-returned-count"] == str(size)
            found += [each["n"] for each in reply.json]
            token = reply.headers.get("elements-next-page-token", "")
        assert token == ""
        assert found == ([7, 6, 5, 4, 3, 2, 1] if order else [1, 2, 3, 4, 5, 6, 7])

    def test_a_record_created_or_deleted_meanwhile_moves_no_other_to_another_page(self) -> None:
        service = numbered(6)
        token = service.get("/activities?pageSize=3").headers["elements-next-page-token"]
        service.ask("DELETE", "/activities/1")
        assert [each["n"] for each in service.get(f"/activities?pageSize=3&nextPage={token}").json] == [
            4,
            5,
            6,
        ]

    def test_a_full_last_page_has_no_token(self) -> None:
        assert "elements-next-page-token" not in numbered(4).get("/activities?pageSize=4").headers

    def test_the_last_page_has_a_token_by_quirk_and_what_is_behind_it_is_empty(self) -> None:
        service = numbered(4, token_on_last_page=True)
        token = service.get("/activities?pageSize=5").headers["elements-next-page-token"]
        reply = service.get(f"/activities?pageSize=5&nextPage={token}")
        assert reply.json == []
        assert "elements-next-page-token" not in reply.headers

    @pytest.mark.parametrize("name", ["returnCount", "returnTotalCount"])
    def test_the_total_is_counted_when_asked_for(self, name: str) -> None:
        service = numbered(5)
        reply = service.get(f"/activities?pageSize=2&where=n%3E2&{name}=true")
        assert (reply.headers["elements-total-count"], reply.headers["elements-returned-count"]) == ("3", "2")
        assert "elements-total-count" not in service.get("/activities?pageSize=2").headers

    def test_the_default_page_has_200_records(self) -> None:
        service = numbered(201)
        assert len(service.get("/activities").json) == 200
        assert len(service.get("/activities?pageSize=5000").json) == 201

    def test_database_lists_stop_at_50(self) -> None:
        service = Service.of("sqlserver")
        service.fill("CE_TEST", *({"n": number} for number in range(51)))
        reply = service.get("/CE_TEST?pageSize=200")
        assert len(reply.json) == 50
        token = reply.headers["elements-next-page-token"]
        assert len(service.get(f"/CE_TEST?pageSize=200&nextPage={token}").json) == 1

    def test_bulk_does_not_stop_at_50(self) -> None:
        service = Service.of("sqlserver")
        service.fill("CE_TEST", *({"n": number} for number in range(51)))
        job = service.post(f"/bulk/query?q={quote('select * from CE_TEST')}")
        assert service.finished(job)["recordsCount"] == 51

    def test_no_match_is_an_empty_list(self) -> None:
        reply = numbered(1).get("/activities?where=n%3D9")
        assert (reply.status, reply.json, reply.headers["elements-returned-count"]) == (200, [], "0")
        assert Service.of().get("/activities").json == []

    @pytest.mark.parametrize(
        "query", ["q=select%20nonsense", "where=", "where=%20", "orderBy=", "fields=", "x=y"]
    )
    def test_meaningless_parameters_are_as_if_absent(self, query: str) -> None:
        assert numbered(1).get(f"/activities?{query}").json == [{"id": 1, "n": 1}]

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("where=nope%3D1", "Unknown field 'nope' in where; customers has "),
            ("orderBy=nope", "Unknown field 'nope' in orderBy; customers has "),
        ],
    )
    def test_a_field_that_the_object_cannot_have_is_400(self, query: str, message: str) -> None:
        reply = Service.of("sage200").get(f"/customers?{query}")
        assert (reply.status, reply.message) == (
            400,
            f"{message}id, reference, name, website, date_time_updated",
        )

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("pageSize=0", "Expected pageSize to be a number from 1 to 1000000000, got '0'"),
            ("page=x", "Expected page to be a number from 1 to 1000000000, got 'x'"),
            ("nextPage=!", "Expected nextPage to be a token of an earlier page, got '!'"),
            ("where=n", "Error parsing query: expected an operator (=, !=, <, >"),
            ("orderBy=n%20up", "Error parsing query: expected ',', 'asc', 'desc' or the end of the query"),
        ],
    )
    def test_what_cannot_be_read_is_400(self, query: str, message: str) -> None:
        reply = numbered(1).get(f"/activities?{query}")
        assert reply.status == 400
        assert reply.message.startswith(message[:50])

    def test_a_token_of_a_list_without_order_is_none_of_a_list_with_one(self) -> None:
        service = numbered(3)
        token = service.get("/activities?pageSize=1").headers["elements-next-page-token"]
        reply = service.get(f"/activities?pageSize=1&orderBy=n&nextPage={token}")
        assert (reply.status, reply.message) == (
            400,
            "Expected nextPage to be a token of this list, got one of a list without orderBy",
        )

    def test_far_pages_are_those_that_counting_would_find(self) -> None:
        service = Service.of()
        rows = "\n".join(map(str, range(12_000)))
        service.finished(service.upload("activities", f"n\n{rows}\n"))
        for _ in range(2):  # the second time a gap makes counting necessary
            everything = [
                each["n"]
                for page in range(1, 4)
                for each in service.get(f"/activities?pageSize=5000&page={page}").json
            ]
            tail = [each["n"] for each in service.get("/activities?pageSize=100&page=111").json]
            assert tail == everything[11_000:11_100]
            service.ask("DELETE", "/activities/500")


class TestHead:
    def test_head_is_get_without_a_body(self) -> None:
        service = numbered(3)
        got, asked = service.get("/activities?pageSize=1"), service.ask("HEAD", "/activities?pageSize=1")
        assert (asked.status, asked.body) == (200, b"")
        for name in ("Content-Type", "Content-Length", "elements-returned-count", "elements-next-page-token"):
            assert asked.headers[name] == got.headers[name]

    def test_head_of_what_is_not_there_is_404(self) -> None:
        assert Service.of().ask("HEAD", "/contact/1").status == 404


class TestChildren:
    """`/{object}/{id}/{child}[/{childId}]` (9.1)."""

    @pytest.fixture
    def parents(self, service: Service) -> Service:
        service.fill("contact", ANN, BOB)
        return service

    def test_a_child_has_all_calls_of_a_record(self, parents: Service) -> None:
        (note,) = parents.fill("contact/1/notes", {"text": "hello"})
        assert note == {"id": 1, "text": "hello"}
        path = "/contact/1/notes/1"
        assert parents.get(path).json == note
        assert parents.ask("PATCH", path, {"to": "Ann"}).json == note | {"to": "Ann"}
        assert parents.ask("PUT", path, {"text": "bye"}).json == {"id": 1, "text": "bye"}
        assert parents.ask("DELETE", path).status == 200
        assert parents.get(path).status == 404

    def test_children_belong_to_one_parent_and_one_name(self, parents: Service) -> None:
        parents.fill("contact/1/notes", {"text": "of Ann"})
        assert parents.get("/contact/2/notes").json == []
        assert parents.get("/contact/1/tasks").json == []
        assert parents.get("/account").json == []

    def test_lists_of_children_are_lists(self, parents: Service) -> None:
        parents.fill("contact/1/notes", *({"n": number} for number in range(3)))
        reply = parents.get("/contact/1/notes?where=n%3E0&orderBy=n%20desc&pageSize=1&returnCount=true")
        assert reply.json == [{"id": 3, "n": 2}]
        assert reply.headers["elements-total-count"] == "2"

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/7/notes"), ("POST", "/7/notes"), ("GET", "/7/notes/1")]
    )
    def test_the_parent_must_exist(self, parents: Service, method: str, path: str) -> None:
        reply = parents.ask(method, f"/contact{path}", {})
        assert (reply.status, reply.message) == (404, "No contact found with id 7")
        assert parents.ask(method, f"/nope{path}", {}).message == "Object 'nope' does not exist"

    def test_children_go_with_their_parent(self, parents: Service) -> None:
        parents.fill("contact/2/notes", {"text": "of Bob"})
        parents.ask("DELETE", "/contact/2")
        (again,) = parents.fill("contact", BOB)
        assert parents.get(f"/contact/{again['id']}/notes").json == []


class TestSage200:
    """Section 11.2."""

    @pytest.fixture
    def sage(self) -> Service:
        return Service.of("sage200")

    def test_customers_as_the_vendors_test_uses_them(self, sage: Service) -> None:
        (created,) = sage.fill("customers", {"reference": "4711", "name": "CE Customer"})
        assert created == {
            "id": 1,
            "reference": "4711",
            "name": "CE Customer",
            "date_time_updated": "2024-01-01T00:00:00.000",
        }
        sage.clock.advance("1h")
        changed = sage.ask("PATCH", "/customers/1", {"website": "http://x.com"}).json
        assert changed["date_time_updated"] == "2024-01-01T01:00:00.000"
        later = quote("date_time_updated > '2024-01-01T00:30:00'")
        assert sage.get(f"/customers?where={later}").json == [changed]
        assert sage.ask("DELETE", "/customers/1").status == 200
        assert sage.post("/customers", {"reference": "4711", "name": "Again"}).status == 200

    def test_a_reference_is_taken_once(self, sage: Service) -> None:
        customer = {"reference": "4711", "name": "CE Customer"}
        sage.fill("customers", customer)
        assert sage.post("/customers", customer).status == 409

    @pytest.mark.parametrize("path", ["invoices", "payments", "payments/receipts"])
    def test_a_created_document_answers_its_urn_and_is_found_by_it_later(
        self, sage: Service, path: str
    ) -> None:
        (receipt,) = sage.fill(path, {"customer_id": 7})
        assert list(receipt) == ["urn"]
        condition = f"urn='{receipt['urn']}'"
        found = f"/{path}?where={quote(condition)}"
        assert sage.get(found).json == []
        assert sage.get(f"/{path}/1").status == 404
        sage.clock.advance("2s")
        (record,) = sage.get(found).json
        assert (record["urn"], record["customer_id"]) == (receipt["urn"], 7)
        assert sage.get(f"/{path}/{record['id']}").json == record

    def test_two_documents_have_two_urns(self, sage: Service) -> None:
        first, second = sage.fill("invoices", {"customer_id": 7}, {"customer_id": 7})
        assert first != second

    def test_paths_of_two_words_are_objects_of_their_own(self, sage: Service) -> None:
        sage.fill("products/groups", {"code": "G", "name": "Group"})
        sage.fill("products", {"code": "P", "name": "Product", "product_group_id": 1})
        sage.fill("products/prices", {"product_id": 1, "price": 9.5})
        assert [each["code"] for each in sage.get("/products/groups").json] == ["G"]
        assert sage.get("/products/groups/1").json["name"] == "Group"
        assert sage.get("/products/1").json["name"] == "Product"
        assert sage.get("/hubs/finance/products/prices").json[0]["price"] == 9.5
        job = sage.upload("products/groups", "code,name\nH,Other\n")
        assert sage.finished(job)["object_name"] == "products/groups"
        assert len(sage.get("/products/groups").json) == 2
        assert sage.get("/objects/products/groups/metadata").json["fields"][0]["vendorPath"] == "id"

    def test_banks_are_filtered_by_code(self, sage: Service) -> None:
        sage.fill("banks", {"code": "1200", "name": "Current"}, {"code": "1210", "name": "Deposit"})
        assert [each["name"] for each in sage.get("/banks?where=code%3D'1200'").json] == ["Current"]


class TestSqlServer:
    """Section 11.1."""

    @pytest.fixture
    def sql(self) -> Service:
        return Service.of("sqlserver")

    def test_a_column_that_the_table_does_not_have_is_dropped(self, sql: Service) -> None:
        (created,) = sql.fill("Company", {"CompanyName": "Acme", "Stree1": "Main", "City": "Rome"})
        assert created == {"CompanyId": 1, "CompanyName": "Acme", "City": "Rome"}

    def test_ids_live_in_the_key_column(self, sql: Service) -> None:
        sql.fill("contacts", {"contact_id": 40, "first_name": "Ann"}, {"first_name": "Bob"})
        assert [each["contact_id"] for each in sql.get("/contacts").json] == [40, 41]
        assert sql.get("/contacts/41").json == {"contact_id": 41, "first_name": "Bob"}

    def test_names_of_objects_have_their_own_case(self, sql: Service) -> None:
        sql.fill("ContactS", {"first_name": "Ann"})
        assert sql.get("/ContactS/1").json == {"id": 1, "first_name": "Ann"}
        assert sql.get("/contacts").json == []

    def test_a_column_may_have_a_blank_in_its_name(self, sql: Service) -> None:
        sql.fill("SampleTable", {"Sample Column": "x"})
        found = sql.get(f"/SampleTable?where={quote('`Sample Column` = ' + repr('x'))}").json
        assert found == [{"SampleId": 1, "Sample Column": "x"}]

    def test_one_bad_row_fails_the_whole_file_unless_batches_are_smaller(self, sql: Service) -> None:
        file = "C_EmailAddress\na@b.co\nbad\nc@b.co\n"
        whole = sql.finished(sql.upload("contact", file))
        assert (whole["recordsCount"], whole["recordsFailedCount"]) == (3, 3)
        single = sql.finished(sql.upload("contact", file, {"bulkUploadRecordSize": 1}))
        assert (single["recordsCount"], single["recordsFailedCount"]) == (3, 1)

    def test_tables_named_in_the_configuration_are_objects(self, sql: Service) -> None:
        assert sql.get("/orders").status == 404
        sql.instance.configuration["db.table.names"] = "orders, data_*"
        assert sql.fill("orders", {"n": 1}) == [{"id": 1, "n": 1}]
        assert sql.fill("data_2024", {"n": 2}) == [{"id": 1, "n": 2}]
        assert sql.get("/data_").json == []
        assert sql.get("/dat").status == 404
        assert sql.finished(sql.upload("data_new", "n\n1\n"))["recordsFailedCount"] == 0

    def test_objects_list_tables_by_name_and_those_with_the_prefix_that_exist(self, sql: Service) -> None:
        before = sql.get("/objects").json
        sql.instance.configuration["db.table.names"] = "orders,data_*"
        sql.fill("data_2024", {"n": 2})
        assert sql.get("/objects").json == [*before, "orders", "data_2024"]

    def test_a_table_without_a_single_primary_key_has_no_calls_by_id(self, tmp_path: Path) -> None:
        service = Service.of(
            connector(tmp_path, '[objects.links]\nprimary_key = ""\n[objects.links.fields]\na = {}\nb = {}\n')
        )
        assert service.fill("links", {"a": "1", "b": "2"}) == [{"a": "1", "b": "2"}]
        assert service.get("/links").json == [{"a": "1", "b": "2"}]
        assert service.finished(service.upload("links", "a,b\n3,4\n"))["recordsFailedCount"] == 0
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            reply = service.ask(method, "/links/1", {"a": "x"})
            assert (reply.status, reply.message) == (
                404,
                "links has no primary key, so its records have no calls by ID",
            )
        assert service.get("/links?where=nope%3D1").message == "Unknown field 'nope' in where; links has a, b"


def test_late_records_show_up_in_lists_when_their_time_has_come() -> None:
    service = Service.of(visibility_lag=60.0)
    assert service.finished(service.upload("contact", "C_EmailAddress\na@b.co\n"))["recordsCount"] == 1
    assert service.get("/contact").json == []
    assert service.finished(service.post("/bulk/query?q=select%20*%20from%20contact"))["recordsCount"] == 0
    service.clock.advance("60s")
    assert len(service.get("/contact").json) == 1
    assert service.finished(service.post("/bulk/query?q=select%20*%20from%20contact"))["recordsCount"] == 1


def test_a_record_that_is_not_visible_yet_is_404_whatever_comes_behind_it() -> None:
    service = Service.of("sage200")
    service.fill("invoices", {"customer_id": 1})
    for _ in range(2):
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            assert service.ask(method, "/invoices/1", {"customer_id": 2}).status == 404
        service.clock.advance("1s")
        service.fill("invoices", {"customer_id": 1})
