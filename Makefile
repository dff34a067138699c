# Everything from a fresh clone: Python 3.11 or newer, make and git are all that must be there.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# A crawl, a command and a task are a process each: where nothing keeps the compiled modules, every one of them
# compiles all that it imports, which takes longer than many a crawl.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup demo test test-browser lint format docs screenshots env clean down

setup: $(VENV)/.synced

$(VENV)/.synced: pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	$(UV) sync --frozen --quiet
	@touch $@

demo: setup  ## The whole line over the sample newsstand
	$(BIN)/pressmark demo

test: setup  ## All tests, a process a core; each has a Postgres of its own
	$(BIN)/pytest -q -n auto --maxprocesses=4 --dist=loadscope --ignore=tests/browser

test-browser: setup  ## The pages inside Airflow, in Chromium; skipped with a reason where there is none
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	{ command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	echo "No Chromium here, and it cannot be installed by this user: the tests are skipped."
	$(UV) sync --frozen --quiet --group browser || echo "The packages of the group browser cannot be had here."
	$(BIN)/pytest -q -rs tests/browser || [ $$? = 5 ]

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

screenshots: setup  ## The pictures of the documentation, from the demo in Chromium
	$(UV) sync --frozen --quiet --group browser
	$(BIN)/python docs/screenshots.py

env: .env  ## Passwords and keys for docker-compose.yml

.env:
	@umask 077; $(PYTHON) -c 'import base64, secrets; token = secrets.token_urlsafe; \
	key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(); \
	print(f"POSTGRES_PASSWORD={token(24)}\nPRESSMARK_ADMIN_PASSWORD={token(18)}\nAIRFLOW_FERNET_KEY={key}\n" \
	f"AIRFLOW_API_SECRET_KEY={token(48)}\nAIRFLOW_JWT_SECRET={token(48)}")' > $@.new && mv $@.new $@
	@echo "Wrote $@, for you alone. Login of Airflow: admin, password PRESSMARK_ADMIN_PASSWORD in $@."

clean: down
	rm -rf $(VENV)
