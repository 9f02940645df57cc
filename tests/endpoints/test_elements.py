"""Connectors and hubs, as the platform lists them (protocol.md 1)."""

from __future__ import annotations

import pytest

from .service import PLATFORM, Service


@pytest.fixture
def stranger() -> Service:
    """A caller without any credentials."""
    service = Service.of()
    service.headers = {}
    return service


def test_hubs_need_no_credentials_and_look_like_the_hubs_page(stranger: Service) -> None:
    hubs = stranger.get("/hubs").json
    assert all(list(hub) == ["id", "name", "key", "description"] for hub in hubs)
    assert {hub["key"]: hub["id"] for hub in hubs}["documents"] == 4


def test_hub_keys_are_those_of_section_1(stranger: Service) -> None:
    keys = stranger.get("/hubs/keys").json
    named = """messaging documents esignature idmanagement marketing pointofsale general finance questback ocr
        monitoring db sageaccounting sagepayroll native fsa helpdesk ecommerce collaboration conferencing payment
        billing expense employee scheduling crm analytics erp social humancapital screening rewards sage"""
    assert sorted(keys) == sorted(named.split())
    assert [stranger.get(f"/hubs/{key}").json["key"] for key in keys] == keys


def test_every_hub_has_an_id_of_its_own(stranger: Service) -> None:
    ids = [hub["id"] for hub in stranger.get("/hubs").json]
    assert len(set(ids)) == len(ids)


def test_an_unknown_hub_is_404(stranger: Service) -> None:
    for path in ("/hubs/crap", "/hubs/crap/elements"):
        reply = stranger.get(path)
        assert (reply.status, reply.message) == (404, "No hub found with key 'crap'")


def test_a_hub_lists_its_elements(stranger: Service) -> None:
    assert [each["key"] for each in stranger.get("/hubs/finance/elements").json] == ["sage200"]
    assert stranger.get("/hubs/crm/elements").json == []


def test_elements_are_for_users_of_the_platform(stranger: Service) -> None:
    assert stranger.get("/elements").status == 401
    stranger.headers = {"Authorization": PLATFORM}
    assert [each["key"] for each in stranger.get("/elements").json] == ["marketing", "sage200", "sqlserver"]


@pytest.mark.parametrize("name", ["sqlserver", "490"])
def test_an_element_is_found_by_key_or_id_and_says_that_bulk_is_enabled(stranger: Service, name: str) -> None:
    stranger.headers = {"Authorization": PLATFORM}
    assert stranger.get(f"/elements/{name}").json == {
        "id": 490,
        "name": "Microsoft SQL Server",
        "key": "sqlserver",
        "hub": "db",
        "active": True,
        "deleted": False,
        "bulkDownloadEnabled": True,
        "bulkUploadEnabled": True,
    }


def test_an_unknown_element_is_404(stranger: Service) -> None:
    stranger.headers = {"Authorization": PLATFORM}
    reply = stranger.get("/elements/nope")
    assert (reply.status, reply.message) == (404, "No element found with key or ID 'nope'")
