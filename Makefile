# Two commands: `make lab` opens the workshop, `make test` runs everything. Both set up first.
# Another Python: make lab PYTHON=python3.13

PYTHON ?= python3
WORKERS ?= 3
TESTS ?= notebooks tests
CELL_SECONDS ?= $(if $(COUCHDB_URL),300,60)

# Compiled modules are kept, all in .venv: a test run starts hundreds of processes.
export PYTHONDONTWRITEBYTECODE =
export PYTHONPYCACHEPREFIX = $(CURDIR)/.venv/pycache

PY = .venv/bin/python
CHOSEN = $(if $(filter file,$(origin PYTHON)),,--this-python)
ROOT_FLAG = $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := lab
.PHONY: lab test answers fuzz lint notebooks bench clean setup

lab: setup
	@$(PY) -m jupyterlab --ServerApp.ip=127.0.0.1 --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
	  --LabApp.news_url=None --log-level=WARN $(ROOT_FLAG)

test: setup
	@$(PY) -m pytest $(TESTS) -n $(WORKERS) --dist loadscope --nbval --nbval-current-env \
	  --nbval-cell-timeout=$(CELL_SECONDS) --nbval-sanitize-with=tests/nbval_sanitize.cfg

# Every answer of the bank, right and wrong, marked by its exercise: minutes.
answers: setup
	@ALL_ANSWERS=1 $(PY) -m pytest -q -n 2 --dist loadscope tests/exercises

# Random programs against the search, until Ctrl-C: make fuzz SECONDS=600 KIND=redis FIRST=1000
fuzz: setup
	@$(PY) -m tests.raceproof.fuzz $(if $(SECONDS),--seconds $(SECONDS)) \
	  $(if $(PROGRAMS),--programs $(PROGRAMS)) $(if $(FIRST),--first $(FIRST)) \
	  $(if $(ONLY),--only '$(ONLY)') \
	  $(foreach kind,$(KIND),--kind $(kind))

lint: setup
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

notebooks: setup
	@$(PY) -m workshop.notebooks $(NAMES)

bench: setup
	@for script in benches/*.py; do $(PY) "$$script" || exit 1; done

clean:
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis src/workshop/services/pouchdb/node_modules

setup:
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or newer." >&2; exit 1; }
	@"$(PYTHON)" bootstrap.py $(CHOSEN)
