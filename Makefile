# Needs git, make and Python 3.11 or newer with venv; everything else goes into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# A caller's settings that would change what runs, or leave sources without bytecode (start-up doubles).
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME VIRTUAL_ENV

PY := .venv/bin/python
# Workers of pytest, and what to pass on to it: make test JOBS=4 ARGS='-k shards'
JOBS ?= auto
ARGS ?=

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: run-env ## set up and open the console on the demo (without a terminal: start, ask, print, stop)
	@.venv/bin/qd demo

.PHONY: test
test: check ## set up, run all checks, then all tests
	@echo "== tests"
	@$(PY) -m pytest -q -n $(JOBS) $(ARGS)

.PHONY: check lint types contracts generated
check: lint types contracts generated ## style, types, import contracts, generated code (make -k check: all that fail)

lint: dev-env
	@echo "== lint"
	@$(PY) -m ruff check --quiet .

types: dev-env
	@echo "== types"
	@$(PY) -m mypy --no-error-summary

contracts: dev-env
	@echo "== import contracts"
	@told=$$(.venv/bin/lint-imports --no-logo 2>&1) || { echo "$$told"; exit 1; }

generated: dev-env
	@echo "== generated code"
	@$(PY) tools/protoc.py --check

.PHONY: format
format: dev-env ## lay out the code and sort its imports
	@$(PY) -m ruff check --quiet --select I --fix .
	@$(PY) -m ruff format .

.PHONY: proto
proto: dev-env ## write the generated gRPC code anew
	@$(PY) tools/protoc.py

.PHONY: bench
bench: dev-env ## benchmarks, each beside a floor or a peer measured in the same run
	@tools/peers.sh
	@$(PY) -m bench $(ARGS)

.PHONY: screenshots
screenshots: dev-env ## take the pictures in screenshots/ anew, from a running engine
	@$(PY) -m screenshots $(ARGS)

.PHONY: dist
dist: dev-env ## build the source archive and the wheel into dist/
	@rm -rf dist
	@$(PY) -m hatchling build -d dist

.PHONY: floors
floors: dev-env ## try the oldest dependencies that pyproject.toml allows
	@$(PY) tools/floors.py $(ARGS)

.PHONY: pins
pins: dev-env ## write constraints.txt from what .venv holds
	@$(PY) -m pip freeze --all --exclude pip --exclude wheel --exclude quarterdeck > constraints.txt

.PHONY: clean
clean: ## remove everything that make has made, .venv too
	@rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage snapshot_report.html
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: run-env dev-env
run-env:
	@tools/setup.sh run

dev-env:
	@tools/setup.sh dev
