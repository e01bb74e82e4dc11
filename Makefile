# Two commands for a newcomer: `make demo` and `make test`. Each makes its own environment from a committed lock.
PYTHON ?= python3
VENV := .venv
DEMO_VENV := .venv-demo
RAGAS_VENV := .venv-ragas
BIN := $(VENV)/bin
# What pytest is given beside its settings, for instance: make test ARGS="tests/harness -x"
ARGS ?=
# Processes that share the tests: one more than the cores of a small machine, since many tests wait for a server.
WORKERS ?= 3

.PHONY: demo test test-ragas lint format bench serving-example docs lock clean

demo: $(DEMO_VENV)/.ready
	$(DEMO_VENV)/bin/markscheme demo

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

# The extra ragas holds back packages that all else may have newer, so it is tested in an environment of its own.
test-ragas: $(RAGAS_VENV)/.ready
	$(RAGAS_VENV)/bin/python -m pytest -m ragas tests/ragas tests/app/test_ragas_run.py tests/test_docs.py $(ARGS)

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

# A load test of a real server from one command: llama.cpp with the tiny model of the tests, on port 8080.
serving-example: $(VENV)/.ready
	$(BIN)/python tests/servers/llamacpp.py --port 8080 $(BIN)/markscheme serve-bench examples/serving_tiny.yaml $(ARGS)

docs: $(VENV)/.ready
	$(BIN)/python docs/generate_reference.py
	$(BIN)/python docs/make_picture.py
	$(BIN)/python docs/make_review_picture.py
	$(BIN)/python docs/make_serving_picture.py
	$(BIN)/python docs/make_notebook.py
	$(BIN)/python docs/follow.py

LOCK := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate

# The versions in the lock stay where they still fit; `make lock UPGRADE=--upgrade` takes the newest.
lock: $(VENV)/.ready
	$(BIN)/python -m $(LOCK) $(UPGRADE) --extra rag --group build pyproject.toml -o requirements.lock
	$(BIN)/python -m $(LOCK) $(UPGRADE) --extra all --group dev -c requirements.lock pyproject.toml \
		-o requirements-dev.lock
	$(BIN)/python -m $(LOCK) $(UPGRADE) --extra ragas --group ragas-tests pyproject.toml -o requirements-ragas.lock

# An environment from a lock. Debian may have split ensurepip off (python3-venv); then the system's pip helps out.
define environment
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "markscheme needs Python 3.11 or newer: make PYTHON=python3.x")'
$(PYTHON) -m venv $(1) 2>/dev/null \
	|| { $(PYTHON) -m venv --without-pip --clear $(1) && $(PYTHON) -m pip --python $(1)/bin/python install --quiet pip; } \
	|| { echo "$(PYTHON) can make no virtual environment here; on Debian: apt-get install python3-venv" >&2; exit 1; }
$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(2)
$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
touch $(1)/.ready
endef

$(DEMO_VENV)/.ready: requirements.lock pyproject.toml
	$(call environment,$(DEMO_VENV),requirements.lock)

$(VENV)/.ready: requirements-dev.lock pyproject.toml
	$(call environment,$(VENV),requirements-dev.lock)

$(RAGAS_VENV)/.ready: requirements-ragas.lock pyproject.toml
	$(call environment,$(RAGAS_VENV),requirements-ragas.lock)

clean:
	rm -rf $(VENV) $(DEMO_VENV) $(RAGAS_VENV) build .markscheme
