# Thin: each target is a line or two; what they call stands in tools/, tests/ and benchmarks/.
# Only a PYTHON given on make's own line counts: other programs set a variable of this name for themselves.
CHOSEN := $(if $(filter command,$(firstword $(origin PYTHON))),$(PYTHON))
RUN := .venv/bin/python
ANY := $(or $(wildcard $(RUN)),$(CHOSEN),python3)
# A folder's name may hold letters that the user's locale does not know; and what others told Python to do stays out.
export PYTHONUTF8 := 1
unexport PYTHONHOME PYTHONOPTIMIZE PYTHONSTARTUP

.PHONY: help environment lab edit reset update test twice gate test-offline refresh lesson links lock budgets bench pdf routes test-machines report
help:
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

environment:
	@command -v "$(or $(CHOSEN),python3)" >/dev/null || { echo "There is no $(or $(CHOSEN),python3) here: install Python 3.11 or newer, or name one, as in: make lab PYTHON=python3.12" >&2; exit 1; }
	@"$(or $(CHOSEN),python3)" tools/environment.py $(if $(CHOSEN),--chosen)

lab: environment ## open your own copy of the lessons in JupyterLab (this machine only, with a token)
	@$(RUN) tools/lab.py $(LAB_FLAGS)

reset: ## move your copy of a lesson aside and lay a fresh one: LESSON=05
	@"$(ANY)" tools/lab.py reset "$(LESSON)"

update: ## fetch the newest course; your own copies stay as they are
	@"$(ANY)" tools/lab.py update

test: environment ## run every test; each lesson is run and every printed output compared
	$(RUN) -m pytest $(if $(TWICE),--twice)

pdf: environment ## print a lesson: LESSON=05
	$(RUN) tools/pdf.py "$(LESSON)"

edit: environment ## for authors: open the published lessons in JupyterLab
	@$(RUN) tools/lab.py edit $(LAB_FLAGS)

gate: environment ## check the lessons without running them
	$(RUN) tools/gate.py "$(LESSON)"

twice: environment ## run each cell twice in a row; both times it must print what is stored: all, or LESSON=04
	$(RUN) -m pytest --twice $(or $(wildcard notebooks/$(LESSON)*.ipynb),notebooks/no_lesson_$(LESSON).ipynb)

routes: environment ## walk every route of README.md in an empty environment (needs the network)
	$(RUN) -m pytest -n 4 --dist load -m routes tests

test-machines: environment ## run the lessons on every Python, C library and kernel there is here: all, or LEG=other-kernels LESSON=05
	$(RUN) tools/machines.py $(LEG) $(LESSON)

report: environment ## run the lessons and print what a report of another number needs: all, or LESSON=05
	@$(RUN) tools/report.py "$(LESSON)"

test-offline: environment ## run the lessons without a network and in 2 GB of memory
	$(RUN) tools/offline.py

refresh: environment ## run lessons afresh and store their outputs: all, or LESSON=04
	$(RUN) tools/refresh.py "$(LESSON)"

lesson: environment ## start a new lesson: NUMBER=19 TITLE="Another subject"
	$(RUN) tools/new_lesson.py "$(NUMBER)" "$(TITLE)"

links: environment ## write the links of README, start page and lessons from the URL in pyproject.toml, and the lessons' minutes
	$(RUN) tools/links.py

lock: environment ## compile the lists of versions from pyproject.toml; UPGRADE=--upgrade takes the newest
	$(RUN) tools/lock.py $(UPGRADE)

budgets: environment ## measure each lesson's time and memory, one at a time, and store the table
	$(RUN) -m pytest -n 0 notebooks --budget-table=benchmarks/lessons.md

bench: environment ## measure ratios against named peers: all, or BENCH=training
	for script in benchmarks/$(or $(BENCH),*).py; do $(RUN) $$script || exit 1; done
