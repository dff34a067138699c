# Everything works from a fresh clone with Python 3.11 or newer, make and git.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# Commands, crawls and tasks are processes. Without compiled modules, each of them would compile everything it imports.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-long test-browser test-compose quality bench lint format docs plots screenshots env upgrade clean down

setup: $(VENV)/.synced  ## Install everything into .venv

$(VENV)/.synced: pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "Installing Pressmark and its packages into $(VENV). The first time this downloads about 500 MB."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	$(UV) sync --frozen --extra s3 --extra celery
	@touch $@

demo: setup  ## Run the whole pipeline over the sample news sites
	$(BIN)/pressmark demo

PYTEST := $(BIN)/pytest -q --durations=10 --ignore=tests/browser --ignore=tests/containers
PARALLEL := -n auto --maxprocesses=4 --dist=loadscope --no-loadscope-reorder

test: setup  ## All tests but the long ones; every worker process has its own Postgres
	$(PYTEST) $(PARALLEL) -m "not long"

test-long: setup  ## Kill loops and whole Airflows
	$(PYTEST) $(PARALLEL) -m long

test-browser: setup  ## The operator pages in Chromium; skipped with a reason if it cannot be installed
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	{ command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	echo "Chromium is missing and this user cannot install it: the tests are skipped."
	$(UV) sync --frozen --quiet --extra s3 --extra celery --group browser || echo "The packages of the group browser cannot be installed."
	$(BIN)/pytest -q -rs tests/browser || [ $$? = 5 ]

test-compose: setup  ## Both profiles of docker-compose.yml in a Docker engine; skipped with a reason where none can run
	$(BIN)/pytest -q -rs tests/containers || [ $$? = 5 ]

quality: setup  ## Extraction on the benchmark packs, compared with the committed figures
	$(BIN)/python benchmarks/quality.py

bench: setup  ## Benchmarks of growth with limits, for a quiet machine before a release: about 25 minutes
	$(BIN)/python benchmarks/warehouse.py --sizes 10000,100000 --check
	$(BIN)/python benchmarks/outlets.py --check
	$(BIN)/python benchmarks/many_urls.py --urls 10000

lint: setup  ## Check style, types, the import contract and the generated reference
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup  ## Regenerate the reference: data dictionary, command line, outlet file schema
	$(BIN)/python docs/generate.py

plots: setup  ## Draw the plots of docs/extraction.md from benchmarks
	$(UV) sync --frozen --quiet --extra s3 --extra celery --group docs
	$(BIN)/python docs/plots.py

down: setup
	$(BIN)/pressmark down

screenshots: setup  ## Take the screenshots of the docs, from the demo in Chromium, with fonts for every script
	@command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	apt-get install -y -qq --no-install-recommends fonts-noto-core fonts-noto-cjk >/dev/null || \
	echo "Fonts of some scripts may be missing: fonts-noto-core and fonts-noto-cjk have them."
	$(UV) sync --frozen --quiet --extra s3 --extra celery --group browser
	$(BIN)/python docs/screenshots.py

env:  ## Generate passwords and keys for docker-compose.yml; keeps those that .env has
	@$(PYTHON) deploy/make_env.py .env

upgrade: env  ## Upgrade the containers to this version: build, stop, migrate, start
	docker compose build
	docker compose stop
	docker compose up --detach --force-recreate

clean: down
	rm -rf $(VENV)
