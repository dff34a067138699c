# Everything from a fresh clone: Python 3.11 or newer, make and git are all that must be there.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

.PHONY: setup demo test lint format docs bench clean down

setup: $(VENV)/.synced

$(VENV)/.synced: pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	$(UV) sync --frozen --quiet
	@touch $@

demo: setup  ## The whole line over the sample newsstand
	$(BIN)/pressmark demo

test: setup  ## All tests
	$(BIN)/pytest -q

lint: setup  ## Style, types, import contract, generated reference
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup  ## Generated reference: data dictionary, command line, schema of outlet files
	$(BIN)/python docs/generate.py

down: setup
	$(BIN)/pressmark down

clean: down
	rm -rf $(VENV)
