"""What the plugin adds for the contract: two options and a marker. It imports nothing: every session pays for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MARKER = (
    "ocbulk_contract: run this test, which uses ocbulk_client, at the service of --ocbulk-target as well as at the"
    " fake (pytest-ocbulk)"
)


def add_options(group: pytest.OptionGroup) -> None:
    """Add `--ocbulk-target` and `--ocbulk-readonly`."""
    group.addoption(
        "--ocbulk-target",
        metavar="URL",
        default=None,
        help="run the contract, and tests marked ocbulk_contract, at a real service too:"
        " its base URL up to /elements/api-v2; secrets come from OPEN_CONNECTORS_...",
    )
    group.addoption(
        "--ocbulk-readonly",
        action="store_true",
        default=False,
        help="with --ocbulk-target: only contract cases that change nothing",
    )


def configure(config: pytest.Config) -> None:
    """Register the marker; with `--ocbulk-target` also what runs marked tests there."""
    config.addinivalue_line("markers", MARKER)
    if config.getoption("ocbulk_target", None):
        from .marked_tests import MarkedTests

        config.pluginmanager.register(MarkedTests(config), "ocbulk-contract")
