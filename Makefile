# Thin: each target is a line or two; what they call stands in tools/, tests/ and benchmarks/.
PYTHON ?= python3
RUN := .venv/bin/python

.PHONY: help environment lab test gate test-offline refresh lesson links lock budgets bench
help:
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

environment:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or newer, or name one, as in: make lab PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) tools/environment.py

lab: environment ## open the course in JupyterLab (this machine only, with a token)
	JUPYTER_CONFIG_PATH=tools/jupyter .venv/bin/jupyter lab notebooks --ip=127.0.0.1 $(LAB_FLAGS)

test: environment ## run every test; each lesson is run and every printed output compared
	$(RUN) -m pytest

gate: environment ## check the lessons without running them
	$(RUN) tools/gate.py $(LESSON)

test-offline: environment ## run the lessons without a network and in 2 GB of memory
	$(RUN) tools/offline.py

refresh: environment ## run lessons afresh and store their outputs: all, or LESSON=04
	$(RUN) tools/refresh.py $(LESSON)

lesson: environment ## start a new lesson: NUMBER=08 TITLE="Work with language"
	$(RUN) tools/new_lesson.py "$(NUMBER)" "$(TITLE)"

links: environment ## write the launch links of README and lessons from the URL in pyproject.toml
	$(RUN) tools/links.py

lock: environment ## compile requirements.txt from pyproject.toml; UPGRADE=--upgrade takes the newest versions
	$(RUN) tools/lock.py $(UPGRADE)

budgets: environment ## measure each lesson's time and memory, one at a time, and store the table
	$(RUN) -m pytest -n 0 notebooks --budget-table=benchmarks/lessons.md

bench: environment ## measure ratios against named peers: all, or BENCH=training
	for script in benchmarks/$(or $(BENCH),*).py; do $(RUN) $$script || exit 1; done
