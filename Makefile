# `make help` lists what there is. Everything is installed into .venv; nothing outside this folder is changed.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test pictures lint format bench bench-api clean python

PYTHON ?= python3
PORT ?= 8000
SERVE ?= yes
# More options for pytest, as in: make test ARGS='-k timestamps'
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

# What checks see of the environment: enough to run, and settings as in production. The key is thrown away.
CHECKED := env -i PATH="$$PATH" HOME="$$HOME" LC_ALL=C.UTF-8 DJANGO_ALLOWED_HOSTS=orders.example.org \
	DATABASE_URL=sqlite:///var/lint.sqlite3 \
	DJANGO_SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')"

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-9s %s\n' "$$name" "$$text"; done

demo: $(BIN)/.runtime  ## load a sample and serve it on http://127.0.0.1:8000 (PORT=8001, SERVE=no)
	@$(BIN)/python -m talpa_site.demo --port $(PORT) $(if $(filter no,$(SERVE)),--no-serve)

# Both at once, as a test run keeps one core busy at most; what PostgreSQL's says is shown when SQLite's is done.
# Status 4 of pytest: the tests could not even begin, and one line has said why.
test: $(BIN)/.dev  ## run all tests, on SQLite and on PostgreSQL (ARGS='-k name')
	@mkdir -p var; failed=; \
	$(BIN)/python -m pytest --database postgresql --durations 15 $(ARGS) >var/test-postgresql.log 2>&1 & other=$$!; \
	trap 'kill $$other 2>/dev/null' EXIT; \
	echo "== Tests on sqlite (and on postgresql, see var/test-postgresql.log)"; \
	$(BIN)/python -m pytest --database sqlite --durations 15 $(ARGS); status=$$?; \
	[ $$status -eq 0 ] || failed="$$failed sqlite"; \
	if [ $$status -ne 4 ]; then \
		wait $$other; [ $$? -eq 0 ] || failed="$$failed postgresql"; \
		echo "== Tests on postgresql"; cat var/test-postgresql.log; \
	fi; \
	if [ -n "$$failed" ]; then echo "Tests failed on:$$failed"; exit 1; fi

pictures: $(BIN)/.dev  ## take the pictures of the documents again, and more in var/pictures
	@mkdir -p var/pictures
	$(BIN)/python -m pytest -q --database sqlite --pictures var/pictures tests/browser
	@for picture in docs/images/*.png; do cp var/pictures/"$${picture##*/}" docs/images; done

lint: $(BIN)/.dev  ## check style, types, migrations, pinned packages and production settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(CHECKED) $(BIN)/mypy .
	$(CHECKED) $(BIN)/python manage.py makemigrations --check
	$(CHECKED) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python -m pip --disable-pip-version-check check

format: $(BIN)/.dev  ## put the Python files into the house style
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(BIN)/.bench  ## measure loads and queries on this machine
	$(BIN)/python -m benchmarks $(ARGS)

bench-api: $(BIN)/.bench  ## measure the query API on this machine, against plain DRF, SQL and Datasette
	$(BIN)/python -m benchmarks.api $(ARGS)

clean:  ## remove all that was made here: .venv, the demo's data, caches
	rm -rf $(VENV) var staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

python:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON); install Python 3.11 or later."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$$($(PYTHON) --version) is too old; choose 3.11 or later, as in: make PYTHON=python3.11 demo"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(BIN)/python: | python
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)

# The stamp is newer than the requirements it was made from, or they are installed again.
$(BIN)/.runtime: requirements.txt | $(BIN)/python
	@echo "Installing $< ..."
	@$(PIP) -r $<
	@touch $@

$(BIN)/.dev: requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing $< ..."
	@$(PIP) -r $<
	@touch $@

$(BIN)/.bench: requirements-bench.txt requirements.txt | $(BIN)/python
	@echo "Installing $< ..."
	@$(PIP) -r $<
	@touch $@
