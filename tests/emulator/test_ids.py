"""The numbers and tokens that a fake gives out."""

from __future__ import annotations

from pytest_ocbulk.emulator.ids import Ids


def test_ids_have_the_services_shapes() -> None:
    ids = Ids()
    assert ids.job() == "1234"  # the walk-through's
    assert ids.instance() == 425904
    assert (len(ids.request()), int(ids.request(), 16) > 0) == (24, True)
    assert (ids.urn()[:4], len(ids.secret("element", 1))) == ("urn:", 32)


def test_ids_of_one_seed_are_the_same_and_never_come_twice() -> None:
    def some(ids: Ids) -> list[str]:
        return [make() for make in (ids.request, ids.job, ids.urn) for _ in range(50)]

    assert some(Ids("a")) == some(Ids("a"))
    assert len(set(some(Ids("a")))) == 150
    assert Ids("a").request() != Ids("b").request()
    assert Ids("a").secret("user", 1) != Ids("b").secret("user", 1)


def test_ids_go_on_behind_those_of_an_earlier_process() -> None:
    before, after = Ids("a"), Ids("a")
    used = {make() for make in (before.job, before.urn, before.request) for _ in range(3)}
    after.resume(before.counters, run=2)
    assert after.counters == before.counters
    assert (after.job(), after.instance()) == ("1237", 425904)
    assert not used & {after.job(), after.urn(), after.request()}
