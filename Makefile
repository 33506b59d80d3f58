# Each target makes what it needs; on a fresh Debian only python3-venv, python3-dev and gcc must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml setup.py src/otrdb/kernels/compiled.py src/otrdb/kernels/protobuf.py
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test test-fuzz test-crash test-slow test-btrdb lint format proto bench report wheel aarch64 clean $(VENV)

help:
	@echo "make run        serve an archive of this host's own measurements and show them live"
	@echo "make test       run the fast test suite"
	@echo "make test-crash cut the power at every step of many histories, fail every step, flip bits (12 minutes)"
	@echo "make test-fuzz  200,000 malformed, absurd and hostile requests to a server (four minutes)"
	@echo "make test-slow  run every test"
	@echo "make test-btrdb run the integration tests of BTrDB's own client against a server"
	@echo "make lint       ruff and mypy"
	@echo "make format     let ruff rewrite the layout"
	@echo "make proto      make what src/otrdb/wire needs from its .proto files"
	@echo "make bench      run the benchmarks"
	@echo "make report     write docs/benchmark.md from the results of the benchmarks"
	@echo "make wheel      build dist/*.whl and the source archive"
	@echo "make aarch64    build for aarch64, test that under emulation, compare its answers with this machine's"
	@echo "make clean      remove everything that was built, .venv included"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade pip "setuptools>=77" "cython>=3.1"

# Without build isolation the kernels are compiled once, by the Cython of this environment.
$(VENV)/.run-stamp: $(BIN)/python $(SOURCES)
	$(INSTALL) --no-build-isolation --editable ".[collect,cli,server]"
	@touch $@

$(VENV)/.dev-stamp: $(BIN)/python $(SOURCES)
	$(INSTALL) --no-build-isolation --editable ".[dev]"
	@touch $@ $(VENV)/.run-stamp

$(VENV): $(VENV)/.dev-stamp

run: $(VENV)/.run-stamp
	$(BIN)/otrdb serve --collect host

test: $(VENV)/.dev-stamp
	$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile

test-crash: $(VENV)/.dev-stamp
	$(BIN)/python -m tests.crash

test-fuzz: $(VENV)/.dev-stamp
	$(BIN)/python -m tests.fuzz

test-slow: $(VENV)/.dev-stamp
	$(BIN)/python -m pytest

test-btrdb: $(VENV)/.dev-stamp
	$(BIN)/python tools/btrdb_suite.py

lint: $(VENV)/.dev-stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev-stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

proto: $(VENV)/.dev-stamp
	$(BIN)/python tools/proto.py

bench: $(VENV)/.dev-stamp
	$(BIN)/python -m benchmarks

report: $(VENV)/.dev-stamp
	$(BIN)/python -m benchmarks --report

wheel: $(VENV)/.dev-stamp
	rm -rf dist
	$(BIN)/python -m build --outdir dist

# TESTS=tests runs all tests that can run there, TESTS="tests/kernels tests/tree" those: docs/aarch64.md.
aarch64: $(VENV)/.dev-stamp
	tools/aarch64.sh $(BIN)/python $(TESTS)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis src/*.egg-info
	rm -f src/otrdb/kernels/*.so src/otrdb/kernels/*.c
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
