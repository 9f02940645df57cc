"""Who may import whom: the arrows of the design, read off the import statements."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("pytest_ocbulk", "fake_server")

CORE = "pytest_ocbulk.emulator"
DOORS = ("pytest_ocbulk.intercept", "pytest_ocbulk.asgi", "pytest_ocbulk.server")

FORBIDDEN: dict[str, tuple[str, ...]] = {
    # importer: what it must not import
    CORE: ("pytest_ocbulk", "fake_server", "pytest", "requests", "responses", "faker", "click", "httptools"),
    "pytest_ocbulk": ("fake_server",),
    "pytest_ocbulk.client": (
        *DOORS,
        "pytest_ocbulk.plugin",
        "pytest_ocbulk.handle",
        "pytest_ocbulk.contacts",
        "pytest",
    ),
    "pytest_ocbulk.contacts": (*DOORS, "pytest_ocbulk.plugin", "pytest_ocbulk.handle", "pytest"),
    "pytest_ocbulk.intercept": ("pytest_ocbulk.asgi", "pytest_ocbulk.server", "pytest"),
    "pytest_ocbulk.asgi": ("pytest_ocbulk.intercept", "pytest_ocbulk.server", "pytest"),
    "pytest_ocbulk.server": ("pytest_ocbulk.intercept", "pytest_ocbulk.asgi", "pytest"),
    "pytest_ocbulk.http1": ("pytest_ocbulk.intercept", "pytest_ocbulk.asgi", "pytest"),
    "fake_server": ("pytest_ocbulk.plugin", "pytest"),
}

CLIENT_TAKES = tuple(f"pytest_ocbulk.emulator.{name}" for name in ("jobs", "messages", "whole_file"))
"""Of the core the client takes status words, what HTTP can say and how a file is replaced; signatures are its own."""

BANNED_IN_CORE = (
    "socket",
    "asyncio",
    "random",
    "secrets",
    "uuid",
    "http",
    "urllib.request",
    "subprocess",
    "time",
)


def modules() -> list[tuple[str, Path]]:
    """Every module of both packages by its dotted name."""
    return [
        (".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


CORE_MODULES = [(name, path) for name, path in modules() if name.startswith(CORE)]


def imports(name: str, source: str, *, is_package: bool = False) -> Iterator[str]:
    """The dotted names that a module imports, relative ones resolved; also inside functions."""
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            target = ".".join(part for part in (base, node.module or "") if part)
            yield target
            yield from (f"{target}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def violations(name: str, source: str, *, is_package: bool = False) -> list[str]:
    """What a module imports against the table."""
    found = []
    for target in imports(name, source, is_package=is_package):
        for importer, forbidden in FORBIDDEN.items():
            if not within(name, importer) or within(target, importer):
                continue
            if importer == CORE and within(target, CORE):
                continue
            found += [f"{name} imports {target}" for each in forbidden if within(target, each)]
        if within(name, "pytest_ocbulk.client") and within(target, CORE) and target != CORE:
            allowed = any(within(target, each) for each in CLIENT_TAKES)
            found += [] if allowed else [f"{name} imports {target}"]
    return found


@pytest.mark.parametrize(("name", "path"), modules(), ids=[name for name, _ in modules()])
def test_a_module_imports_only_what_the_design_lets_it(name: str, path: Path) -> None:
    assert violations(name, path.read_text(), is_package=path.name == "__init__.py") == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("pytest_ocbulk.emulator.jobs", "import requests"),
        ("pytest_ocbulk.emulator.jobs", "from ..server import Server"),
        ("pytest_ocbulk.emulator.endpoints.bulk", "def f():\n    from pytest_ocbulk import client"),
        ("pytest_ocbulk.handle", "import fake_server.cli"),
        ("pytest_ocbulk.asgi", "from .server import Server"),
        ("pytest_ocbulk.client.polling", "from ..emulator.store import Store"),
    ],
)
def test_an_arrow_that_points_back_is_found(name: str, source: str) -> None:
    assert violations(name, source)


@pytest.mark.parametrize(("name", "path"), CORE_MODULES, ids=[name for name, _ in CORE_MODULES])
def test_the_core_imports_no_network_no_clock_and_no_dice(name: str, path: Path) -> None:
    found = set(imports(name, path.read_text()))
    assert not found & set(BANNED_IN_CORE)


def test_the_plugin_imports_pytest_and_typing_only_when_it_is_loaded() -> None:
    tree = ast.parse((ROOT / "pytest_ocbulk" / "plugin.py").read_text())
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        node.module if isinstance(node, ast.ImportFrom) else alias.name
        for node in top
        for alias in node.names
    }
    assert names <= {"__future__", "pytest", "typing", "collections.abc"}


def test_importing_the_package_loads_neither_pytest_nor_any_dependency() -> None:
    code = "import sys, pytest_ocbulk; print([m for m in sys.modules if m.partition('.')[0] in sys.argv[1:]])"
    names = ["pytest", "requests", "responses", "faker", "click", "httptools", "multipart", "sqlite3"]
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


LATER = (
    "difflib",
    "fake_server.control_calls",
    "fake_server.snapshots",
    "multipart",
    "pytest_ocbulk.emulator.apply",
    "pytest_ocbulk.emulator.data_file",
    "pytest_ocbulk.emulator.faults.kinds",
    "pytest_ocbulk.emulator.form",
    "pytest_ocbulk.emulator.ocnql_grammar",
    "pytest_ocbulk.emulator.ocnql_tree",
    "pytest_ocbulk.verdicts",
    "secrets",
    "tempfile",
)
"""What a server may be asked for, and need not have before it answers."""


def test_the_server_starts_without_what_nobody_has_asked_for() -> None:
    code = "import sys, fake_server.cli; print([name for name in sys.argv[1:] if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code, *LATER], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", LATER)
def test_what_is_loaded_later_is_there(name: str) -> None:
    assert importlib.util.find_spec(name) is not None


def test_every_public_name_is_exported_once_and_exists() -> None:
    import pytest_ocbulk

    names = list(pytest_ocbulk.__all__)
    assert names == sorted(set(names), key=names.index)
    assert all(getattr(pytest_ocbulk, name) is not None for name in names)
