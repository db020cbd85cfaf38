# Everything that one types while working on the project. `make help` lists it.
# Needs Python 3.11 or newer with its venv module, make, and a package registry.

VENV ?= .venv
PYTHON = $(VENV)/bin/python
# Tests wait for the server more than they compute: more workers than cores.
WORKERS ?= 4
PORT ?= 8000
TESTS = -m pytest --quiet --numprocesses $(WORKERS) --dist worksteal $(ARGS)
PYTEST = $(PYTHON) $(TESTS)
COVERAGE = $(VENV)/bin/coverage

# Debian's PostgreSQL 15, the oldest that is tested here.
PG15 ?= /usr/lib/postgresql/15/bin
SERVER_TESTS = tests/health/test_matrix.py tests/health/truth_tables tests/health/test_hostile.py tests/runner tests/schema/test_catalog.py tests/history
# Catalogs, locks and messages differ between servers; commands, screens and pages don't: once is enough.
SERVER_PYTEST = $(PYTEST) -m "not nightly and not slow and not e2e and not processes" $(SERVER_TESTS)

export VENV
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_ROOT_USER_ACTION = ignore

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-15 test-server coverage nightly lint docs bench bench-quick ci stop clean

help: ## say what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: $(VENV)/installed .env ## install everything, apply the example's migrations and SQL files, say what to look at
	@$(PYTHON) -m project.postgres start
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py applysql
	@$(PYTHON) -m project.demo

serve: $(VENV)/installed .env ## run the example site at http://127.0.0.1:8000/ (PORT=...)
	@$(PYTHON) -m project.postgres start
	@LOG_LEVEL=INFO $(PYTHON) manage.py runserver $(PORT)

test: $(VENV)/installed ## run the tests (ARGS="-k name")
	@.ci/on-server embedded $(PYTEST)

test-15: $(VENV)/installed ## run the tests on Debian's PostgreSQL 15
	@.ci/on-server $(PG15) $(SERVER_PYTEST)

test-server: $(VENV)/installed ## run the tests of what differs between servers, on that of DATABASE_URL
	@.ci/on-server embedded $(SERVER_PYTEST)

coverage: $(VENV)/installed ## run the tests, say which lines and branches none of them took, fail below 97 %
	@$(COVERAGE) erase
	@.ci/on-server embedded $(COVERAGE) run $(TESTS)
	@$(COVERAGE) combine --quiet
	@$(COVERAGE) report

nightly: $(VENV)/installed ## run what takes hours: every fault point, every mutation, 20,000 examples of each property
	@.ci/on-server embedded $(PYTEST) -m nightly

lint: $(VENV)/installed ## check style, types, layers and missing migrations
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@# The type checker reads the settings; it needs no server.
	@DATABASE_URL=postgres:///none $(VENV)/bin/mypy --no-error-summary
	@$(VENV)/bin/lint-imports --no-logo
	@SECRET_KEY=none $(PYTHON) manage.py makemigrations --check --dry-run

docs: $(VENV)/installed ## build the documentation into site/, every warning an error
	@# Not --quiet: it would keep the warnings from being counted.
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

bench: $(VENV)/peers ## measure, beside other tools (ARGS="run_files nothing_to_do"); see benchmarks/README.md
	@$(PYTHON) -m benchmarks $(ARGS)

bench-quick: $(VENV)/peers ## measure less, in two minutes
	@$(PYTHON) -m benchmarks --quick $(ARGS)

ci: lint docs test test-15 ## what has to pass before a change lands

stop: ## stop the embedded PostgreSQL
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m project.postgres stop; fi

clean: ## remove what was made here: the embedded PostgreSQL with its data, the virtual environment, caches
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m project.postgres destroy; fi
	@rm -rf $(VENV) .postgres build dist site *.egg-info .*_cache .hypothesis .coverage*
	@find . -name __pycache__ -prune -exec rm -rf {} +

# The newest of the interpreters that is new enough and can make virtual environments.
$(VENV)/installed: pyproject.toml
	@.ci/make-venv $(VENV)
	@echo "Installing the package and its tools into $(VENV) ..."
	@$(PYTHON) -m pip install --quiet --quiet --editable '.[dev]'
	@touch $@

# The tools that ours is measured beside. What can't be installed is left out of the measurements, which say so.
$(VENV)/peers: $(VENV)/installed
	@$(PYTHON) -m pip install --quiet --quiet --editable '.[bench]' || echo "The extra 'bench' can't be installed."
	@touch $@

# For development only; a deployment brings an environment of its own.
.env: | $(VENV)/installed
	@umask 077 && printf 'DEBUG=true\nSECRET_KEY=%s\n' "$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))')" > $@
