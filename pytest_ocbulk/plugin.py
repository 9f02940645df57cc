"""The pytest plugin: fixtures, marker and options. It imports pytest and typing only, all else inside its fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_ocbulk.doors import ServerDoor
    from pytest_ocbulk.handle import OcBulk

pytest.register_assert_rewrite("pytest_ocbulk.assertions")


@pytest.fixture
def ocbulk(request: pytest.FixtureRequest) -> Iterator[OcBulk]:
    """A fake Open Connectors instance in this process: calls made through `requests` reach it."""
    from pytest_ocbulk.doors import InProcessDoor, create
    from pytest_ocbulk.settings import read_settings

    settings = read_settings({}, request.node.nodeid, request.path.parent)
    door = InProcessDoor(settings.base_url, settings.seed)
    door.open()
    yield create(door, settings, lambda: request.getfixturevalue("tmp_path"))
    door.close()


@pytest.fixture(scope="session")
def _ocbulk_server_door() -> Iterator[ServerDoor]:
    from pytest_ocbulk.doors import ServerDoor

    door = ServerDoor()
    yield door
    door.close()


@pytest.fixture
def ocbulk_server(request: pytest.FixtureRequest, _ocbulk_server_door: ServerDoor) -> Iterator[OcBulk]:
    """A fresh instance of a fake on a real port of this machine."""
    from pytest_ocbulk.doors import create
    from pytest_ocbulk.settings import read_settings

    settings = read_settings({}, request.node.nodeid, request.path.parent)
    _ocbulk_server_door.renew(settings.seed)
    handle = create(_ocbulk_server_door, settings, lambda: request.getfixturevalue("tmp_path"))
    yield handle
    _ocbulk_server_door.emulator.close_instance(handle._instance)
