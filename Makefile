PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PRODUCTION_STAMP := $(VENV)/.installed-production
NEW_ENOUGH := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12"; exit 1; }

.PHONY: install install-production run test check format bench lock clean

install: $(STAMP)  ## make the virtual environment; quick when nothing changed

$(STAMP): pyproject.toml requirements-dev.lock
	@$(NEW_ENOUGH)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@rm -f $(PRODUCTION_STAMP)
	@touch $(STAMP)

install-production: $(PRODUCTION_STAMP)  ## the same without what only development needs

$(PRODUCTION_STAMP): pyproject.toml requirements.lock
	@$(NEW_ENOUGH)
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(PRODUCTION_STAMP)

run: install  ## the whole server in development, on port 3040; Ctrl-C ends it
	$(BIN)/country-config serve

test: install  ## the whole suite, on SQLite and on a real PostgreSQL
	$(BIN)/pytest --numprocesses=auto --dist=worksteal

check: install  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install  ## measured against the floor, in one run
	$(BIN)/python -m benchmarks.receive
	$(BIN)/python -m benchmarks.email_out
	$(BIN)/python -m benchmarks.reindex

lock: install  ## pin the newest versions that fit pyproject.toml, with hashes
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade --no-emit-index-url \
		--extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) instance
