# Two commands for a newcomer: `make demo` and `make test`. Both set up what they need in .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint types tests bench fuzz survive format clean

demo: .venv/ready
	$(BIN)/python -m fake_server.demo

test: lint types tests

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

tests: .venv/ready
	$(BIN)/python -m pytest -n 2

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Setting up is one rule: a change of the project file or of the pinned versions renews the environment.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pytest-ocbulk needs Python 3.11 or later, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade -c constraints.txt pip
	$(BIN)/python -m pip install --quiet -c constraints.txt --editable '.[httpx]' --group test --group lint --group typing
	touch .venv/ready

# What `make test` does briefly, at length: minutes instead of seconds. They take seeds and print them.
fuzz: .venv/ready
	OCBULK_FUZZ=long $(BIN)/python -m pytest tests/fuzz -p no:randomly -o faulthandler_timeout=0

survive: .venv/ready
	$(BIN)/python -m tests.survival

# The peers have an environment of their own; one that cannot be installed is left out of the table.
bench: .venv-bench/ready
	.venv-bench/bin/python -m tests.bench

.venv-bench/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --upgrade -c constraints.txt pip
	.venv-bench/bin/python -m pip install --quiet -c constraints.txt --editable '.[httpx]'
	.venv-bench/bin/python -m pip install --quiet -c constraints.txt --group bench || true
	npm install --silent --no-save wiremock || true
	touch .venv-bench/ready

clean:
	rm -rf .venv .venv-bench node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
