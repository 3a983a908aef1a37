# What a person types. `make` alone prints this list; each target is one line of work, the rest is in the files it calls.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14
