# Two commands for a newcomer: `make demo` and `make test`. Each makes its own environment from a committed lock.
PYTHON ?= python3
VENV := .venv
DEMO_VENV := .venv-demo
BIN := $(VENV)/bin

.PHONY: demo test lint format bench lock clean

demo: $(DEMO_VENV)/.ready
	$(DEMO_VENV)/bin/markscheme demo

test: $(VENV)/.ready
	$(BIN)/python -m pytest

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p build/typing && ln -sfn ../.. build/typing/markscheme
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.ready
	$(BIN)/python benchmarks/run.py

lock: $(VENV)/.ready
	$(BIN)/python -m uv pip compile --universal --generate-hashes --no-emit-index-url --no-header \
		--extra rag pyproject.toml -o requirements.lock
	$(BIN)/python -m uv pip compile --universal --generate-hashes --no-emit-index-url --no-header \
		--all-extras --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

$(DEMO_VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(DEMO_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) $(DEMO_VENV) build .markscheme
