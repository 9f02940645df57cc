"""The app is configured by its environment; here it is told where the fake of the test is."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def my_app_is_configured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "ocbulk_server" if "ocbulk_server" in request.fixturenames else "ocbulk"
    for variable, value in request.getfixturevalue(name).env().items():
        monkeypatch.setenv(variable, value)
