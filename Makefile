# What a person types. `make` alone prints this list; each target is one line of work, the rest is in the files it calls.
.DEFAULT_GOAL := help
.PHONY: help setup run demo test soak check extension bench pictures rules-page
PYTHON := .venv/bin/python
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes
NPM := tests/node npm --prefix tests

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | expand -t 14

setup: .venv/dev tests/node_modules/.package-lock.json  ## everything that development and the tests need
	@tests/machine

run: .venv/run  ## the server on this machine; the first run creates the practice
	@$(PYTHON) -m backend start

demo: .venv/run  ## the server on throw-away data: six clinicians, thirty days, over 120 episodes
	@$(PYTHON) -m tests.demo

test: check  ## every test, those in a real browser too
	$(NPM) test
	$(PYTHON) -m pytest -m "alone and not soak"
	$(PYTHON) -m pytest -m "not alone and not soak" -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

soak: setup  ## what takes longer than a test run may: hundreds of kills, real-time sessions, a million rows
	$(PYTHON) -m pytest -m soak

check: setup extension  ## lint, types, the house's import rules and the extension's manifest
	$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(NPM) run check

extension: .venv/run  ## build/extension to load unpacked, and build/threadtime.zip
	$(PYTHON) extension/assemble.py --zip build/threadtime.zip

bench: setup  ## ratios to raw SQLite, PostgreSQL and duckdb, and errors of measured time: scripted days, sessions at real speed
	$(PYTHON) -m tests.bench

pictures: setup  ## docs/screens.md and its pictures afresh, after a change of what the extension shows
	$(PYTHON) -m tests.pictures

rules-page: .venv/bin/python  ## docs/rules.md afresh, after a change of shared_rules
	$(PYTHON) -m shared_rules.describe > docs/rules.md

.venv/bin/python:
	@python3 -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Threadtime needs Python 3.11 or later.")'
	python3 -m venv .venv

.venv/run: requirements.lock | .venv/bin/python
	$(PIP) -r requirements.lock && touch $@

.venv/dev: requirements-dev.lock | .venv/run
	$(PIP) -r requirements-dev.lock && touch $@

tests/node_modules/.package-lock.json: tests/package-lock.json tests/package.json | .venv/dev
	$(NPM) ci --no-audit --no-fund && touch $@
