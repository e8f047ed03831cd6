# `make run` and `make test` need Python 3.11 to 3.13 with venv and pip, and nothing else. `make help` lists the rest.

VENV ?= .venv
BIN := $(VENV)/bin
# Set PYTHON to choose the interpreter; otherwise the first suitable one of these is taken.
PYTHON ?=
PYTHONS := $(or $(PYTHON),python3 python3.13 python3.12 python3.11 python)
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet
# Tests wait more than they compute: twice as many at a time as a small machine has cores.
WORKERS ?= 4
# Extra arguments for whatever the target runs: make test ARGS="-k settings", make run ARGS="--port 9000"
ARGS ?=

# Every entry, its state, its owner and every transition between them.
POOL_CORE := */pool/state.py,*/pool/ledger.py,*/pool/phase.py,*/pool/entry.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test core soak coverage docs check lint types public-types layers bench bench-llm bench-rtt bench-startup lock clean

help: ## Show what there is to make
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-13s %s\n' "$$name" "$$what"; done

run: $(VENV)/.run ## Run the voice agent and print the address of its page
	@exec $(BIN)/warmline serve $(ARGS)

test: $(VENV)/.dev ## Run the tests (less than five minutes)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

core: $(VENV)/.core ## Run the tests of the core in an environment that has pytest alone
	$(BIN)/python -m pytest -m "core and not soak" $(ARGS) $$(grep -rlE --include='test_*.py' 'mark\.core' tests)

soak: $(VENV)/.dev ## Run the long tests
	$(BIN)/python -m pytest -m soak $(ARGS)

coverage: $(VENV)/.dev ## Fail unless the tests of the pool take every branch of its core
	$(BIN)/python -m coverage run --source=warmline.pool -m pytest tests/pool tests/testing $(ARGS)
	$(BIN)/python -m coverage report --show-missing --fail-under=100 --include="$(POOL_CORE)"

docs: $(VENV)/.dev ## Build the documentation into build/docs, warnings as errors
	$(BIN)/python -m sphinx -W --keep-going -q docs build/docs $(ARGS)

check: lint types public-types layers ## Lint, check formatting, types, public types and layers (make -k check: all of them)

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/mypy examples
	$(BIN)/mypy --allow-untyped-calls --allow-untyped-decorators bench

public-types: $(VENV)/.dev
	PATH="$(abspath $(BIN)):$$PATH" pyright --verifytypes warmline --ignoreexternal

layers: $(VENV)/.dev
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.dev ## Measure the first turn, side by side (FULL=1 for more, BASE=<commit> for one more arm)
	FULL="$(FULL)" BASE="$(BASE)" $(BIN)/python bench/first_turn.py $(ARGS)

bench-llm: $(VENV)/.dev $(VENV)-llm/.installed ## Measure connections to a language model, side by side (35 minutes; root: all rows)
	$(BIN)/python bench/llm_connection.py --livekit-python $(VENV)-llm/bin/python $(ARGS)

bench-rtt: $(VENV)/.dev ## Measure what a caller notices of a language model 100 ms away (15 minutes)
	$(BIN)/python bench/agent_rtt.py $(ARGS)

bench-startup: $(VENV)/.dev $(VENV)-startup/.installed ## Measure process start to ready, side by side (8 minutes)
	$(BIN)/python bench/startup.py --livekit-python $(VENV)-startup/bin/python $(ARGS)

clean: ## Remove the environment and everything that was generated
	rm -rf $(VENV) $(VENV)-llm $(VENV)-startup .venv-* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage dist build
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

# Environments. A stamp is renewed when what it installs has changed.

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) (about a minute, once)"
	@$(INSTALL) -r requirements/run.txt
	@$(INSTALL) --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) (about a minute, once)"
	@$(INSTALL) -r requirements/dev.txt
	@$(INSTALL) --no-deps -e .
	@touch $@ $(VENV)/.run

$(VENV)/.core: requirements/core.txt pyproject.toml | $(BIN)/python
	@$(INSTALL) -r requirements/core.txt
	@$(INSTALL) --no-deps -e .
	@touch $@

# What bench/llm_connection.py compares with needs other versions than ours.
$(VENV)-llm/.installed: bench/requirements-llm.txt | $(BIN)/python
	@$(BIN)/python -m venv $(VENV)-llm
	@$(VENV)-llm/bin/python -m pip --disable-pip-version-check install --quiet -r bench/requirements-llm.txt
	@touch $@

$(VENV)-startup/.installed: bench/requirements-startup.txt | $(BIN)/python
	@$(BIN)/python -m venv $(VENV)-startup
	@$(VENV)-startup/bin/python -m pip --disable-pip-version-check install --quiet -r bench/requirements-startup.txt
	@touch $@

$(BIN)/python:
	@for python in $(PYTHONS); do \
	  if "$$python" -c '$(SUITABLE)' 2>/dev/null; then \
	    "$$python" -m venv $(VENV) && exit 0; \
	    rm -rf $(VENV); exit 1; \
	  fi; \
	done; \
	echo "Python 3.11, 3.12 or 3.13 with its venv module is needed; none of these is: $(PYTHONS)." >&2; \
	echo "Name one: make PYTHON=/path/to/python3.12 ... (on Debian: apt install python3-venv)" >&2; \
	exit 1

# Lock files: one set for all platforms and Pythons, with hashes, and without the address of any index.
# uv does not know pip's variables; in its environment (not on its command line) they may hold a password.

COMPILE = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-https://pypi.org/simple}}" \
  UV_INDEX="$${UV_INDEX:-$$PIP_EXTRA_INDEX_URL}" $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate \
  --no-config --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(ARGS)
RUN_EXTRAS := --extra agent --extra local --extra report

lock: | $(BIN)/python ## Resolve the dependencies anew into requirements/ (ARGS=--upgrade for the newest)
	@$(INSTALL) uv
	@$(COMPILE) pyproject.toml $(RUN_EXTRAS) --output-file requirements/run.txt
	@$(COMPILE) pyproject.toml $(RUN_EXTRAS) --group test --group check --group docs -c requirements/run.txt --output-file requirements/dev.txt
	@$(COMPILE) --group core -c requirements/dev.txt --output-file requirements/core.txt
