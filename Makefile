# What a person types. `make` alone prints this list; each target is a few lines, the work is in the files it calls.
.DEFAULT_GOAL := help
.PHONY: help setup check extension test
PYTHON := .venv/bin/python
NPM = $(PYTHON) tests/npm.py

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14

.venv/dev: requirements-dev.lock
	python3 -m venv .venv
	.venv/bin/pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

tests/node_modules/.package-lock.json: tests/package-lock.json .venv/dev
	$(NPM) ci --no-audit --no-fund

setup: .venv/dev tests/node_modules/.package-lock.json  ## everything the tests need: Python, Node, Chromium, the portal's screens
	$(PYTHON) tests/browser_packages.py
	$(NPM) run --silent build:medplum

check: .venv/dev tests/node_modules/.package-lock.json  ## style, types, and which room may import which
	.venv/bin/ruff check . && .venv/bin/ruff format --check .
	.venv/bin/mypy && .venv/bin/lint-imports
	$(NPM) run --silent types

test: setup check  ## every test, the browser ones too
	$(NPM) test
	.venv/bin/pytest
