# Two commands: `make lab` opens the workshop, `make test` runs everything. Both set up first.
# Another Python: make lab PYTHON=python3.13. Without a network: make lab BUNDLE=what_make_bundle_wrote

PYTHON ?= python3
WORKERS ?= 6
TESTS ?= notebooks tests
CELL_SECONDS ?= $(if $(COUCHDB_URL),900,600)

# Compiled modules are kept, all in .venv: a test run starts hundreds of processes.
export PYTHONDONTWRITEBYTECODE =
export PYTHONPYCACHEPREFIX = $(CURDIR)/.venv/pycache

PY = .venv/bin/python
CHOSEN = $(if $(filter file,$(origin PYTHON)),,--this-python)
OFFLINE = $(if $(BUNDLE),--bundle "$(BUNDLE)")
ROOT_FLAG = $(if $(filter 0,$(shell id -u)),--allow-root)

.DEFAULT_GOAL := lab
.PHONY: lab class check test answers guide shuffles fuzz lint notebooks site slides bench soak mutants bundle clean setup

# Nothing is asked of the network, no pop-up asks the reader, no page that is gone fills the log.
LOG = {'filters': {'pages': {'()': 'workshop.lab.ClosedPages'}}, 'handlers': {'console': {'filters': ['pages']}}}
lab: setup
	@$(PY) -m jupyterlab --ServerApp.ip=127.0.0.1 --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb \
	  --LabApp.app_settings_dir="$(CURDIR)/src/workshop/lab" --LabApp.news_url=None \
	  --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.extension_manager=readonly \
	  --ServerApp.logging_config="$(LOG)" --log-level=WARN $(ROOT_FLAG)

# The class, live: its address, a join code and the instructor's link. HOST=0.0.0.0 lets others in, then with
# CERTFILE= and KEYFILE=; CLASS= is the folder that keeps it.
class: setup
	@$(PY) -m workshop.classroom --host "$(or $(HOST),127.0.0.1)" --port "$(or $(PORT),8017)" \
	  --folder "$(or $(CLASS),build/class)" $(if $(CERTFILE),--certfile "$(CERTFILE)" --keyfile "$(KEYFILE)")

# Whether the notebooks can run here: one table, and exit status 0 if they can.
check: setup
	@$(PY) -m workshop.check

# Most of its 1,000 processes import the same packages: compiled once, although a container may say no.
test: export PYTHONDONTWRITEBYTECODE =
test: setup
	@$(PY) -m pytest -p tests.left_out -p tests.kernel_start $(TESTS) -n $(WORKERS) --dist loadscope --no-loadscope-reorder \
	  --nbval --nbval-current-env --nbval-cell-timeout=$(CELL_SECONDS) --nbval-sanitize-with=tests/nbval_sanitize.cfg

# Every answer of the bank, marked by its exercise: a part of `make test`.
answers: setup
	@$(PY) -m pytest -q -p tests.left_out -n 2 --dist loadscope tests/exercises

# The tables of docs/teaching.md, from the notebooks and the answer bank.
guide: setup
	@$(PY) -m tests.docs

# The cells of each notebook in any order: make shuffles NAMES=notebooks/02_queues.ipynb SHUFFLES=3
shuffles: setup
	@for name in $(or $(NAMES),notebooks/*.ipynb); do \
	  $(PY) -m tests.notebooks_shuffled $$name $(if $(SHUFFLES),--shuffles $(SHUFFLES)) || exit 1; done

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

# The notebooks, the pages of docs and the docstrings as pages, in build/site; SITE_URL=https://… if published.
site: setup
	@"$(PYTHON)" bootstrap.py $(CHOSEN) --site
	@$(PY) -m workshop.site

# A deck of slides for each notebook, in build/slides.
slides: setup
	@$(PY) -m workshop.slides

bench: setup
	@for script in benches/*.py; do $(PY) "$$script" || exit 1; done

# Every helper under SIGKILL of clients and servers: make soak SECONDS=600; status 1 if anything is lost.
soak: setup
	@$(PY) -m tests.soak $(if $(SECONDS),--seconds $(SECONDS)) $(if $(KILLS),--kills $(KILLS)) \
	  $(if $(SEED),--seed $(SEED)) $(if $(WRITE),--write)

# The helpers and the search changed in one place at a time: does a test go red? make mutants SAMPLE=200 PARTS='mixins search'
mutants: setup
	@$(PY) -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(SECONDS),--seconds $(SECONDS)) $(if $(WRITE),--write) $(if $(PARTS),--parts $(PARTS))

# One archive in build, from which a laptop of this kind sets up without a network: make lab BUNDLE=…
bundle: setup
	@$(PY) bundle.py

clean:
	@rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis src/workshop/services/pouchdb/node_modules

setup:
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or newer." >&2; exit 1; }
	@"$(PYTHON)" bootstrap.py $(CHOSEN) $(OFFLINE)
