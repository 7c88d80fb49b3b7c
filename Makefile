# make demo    the main job on a small world of real files, in under a minute; needs no root and no daemon
# make test    everything, and which lines it ran; installs the Debian packages that it needs (as root or with sudo)
# make check   format, lint, types, import contracts and the fast tests, with a third of the random examples: before
#              every commit
# make journey MESSAGES=10000  a whole move on real servers with so many messages under way; needs root
# make lab     keeps such servers running to play with, and says how to talk to them; needs root, Ctrl-C ends it
# make bench   the benchmarks, with their ratios; that of the mail copy beside mbsync and doveadm
# make golden  the plans beside the examples, from the commands themselves
# make schemas the JSON Schemas, from the models

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-world
WORKERS ?= auto
MESSAGES ?= 10000
# Each file stays with one process, for its daemons; files in the order of tests/conftest.py, the longest first.
SHARED := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

MORE = $(if $(filter auto,$(WORKERS)),-n $(shell $(BIN)/python -c 'import os; print(os.cpu_count() + 1)'))

.PHONY: demo test check lint bench golden journey lab schemas clean

demo: $(VENV)/.runs
	$(BIN)/reconciler demo $(DEMO)

test: debian $(VENV)/.develops lint
	$(BIN)/pytest $(SHARED) --cov --cov-report=json
	$(BIN)/python .ci/coverage-floors coverage.json

# Many of these tests wait for a process that they have started: one worker more than there are processors.
check: $(VENV)/.develops lint
	RECONCILER_EXAMPLES=few $(BIN)/pytest $(SHARED) $(MORE) -m "not daemon" -q

lint: $(VENV)/.develops
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: debian $(VENV)/.develops
	$(BIN)/python bench/plan.py
	$(BIN)/python -m bench.mail_copy

journey: debian $(VENV)/.develops
	MESSAGES=$(MESSAGES) $(BIN)/pytest -q -o faulthandler_timeout=0 tests/journeys/test_move.py

lab: debian $(VENV)/.develops
	@$(BIN)/python -m tests.lab

golden: $(VENV)/.develops
	RECONCILER_GOLDEN=write $(BIN)/pytest -q tests/examples

schemas: $(VENV)/.runs
	$(BIN)/reconciler schema --out schemas/migration.schema.json
	$(BIN)/reconciler schema --plan --out schemas/plan.schema.json

clean:
	rm -rf $(VENV) $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage coverage.json

.PHONY: debian
debian:
	@.ci/debian-packages

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "reconciler needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/python-venv
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runs: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.develops: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.runs
