SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
unexport PYTHONDONTWRITEBYTECODE # hundreds of starts in the suite would compile every module again

.DEFAULT_GOAL := help

# Where it is set, each start compiles every module again: as much work as all the rest of it.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(BIN)/uv: requirements/bootstrap.txt
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $(BIN)/uv

$(VENV)/.run: $(BIN)/uv requirements/run.txt pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --offline -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

node_modules/.ready: package-lock.json
	@npm install --silent --no-save --no-audit --no-fund
	@touch $@

build/sdk041/.ready: $(VENV)/.run requirements/sdk041.txt
	@rm -rf build/sdk041
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes --target build/sdk041 -r requirements/sdk041.txt
	@touch $@

setup: $(VENV)/.run ## make .venv with what serving needs

setup-dev: $(VENV)/.dev node_modules/.ready build/sdk041/.ready ## setup plus what the tests need

serve: setup ## start Flux (make serve ARGS="--port 9000")
	@exec $(BIN)/flux serve $(ARGS)

test: setup-dev ## everything: checks, the suite on both databases, the contract gates
	@$(BIN)/python -m tests.run $(ARGS)

check: setup-dev ## format, lint, types, import rules, unit tests (under a minute)
	@$(BIN)/python -m tests.check

bench: setup-dev ## every benchmark, medians of alternated runs
	@$(BIN)/python -m bench

format: setup-dev ## rewrite the sources in the house format
	@$(BIN)/ruff format src tests bench ; $(BIN)/ruff check --fix src tests bench

lock: $(BIN)/uv ## re-lock the requirements with hashes
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 --extra build pyproject.toml -o requirements/run.txt
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 --extra build --extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	@echo foxnose-sdk==0.4.1 | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 --no-deps - -o requirements/sdk041.txt

clean: ## remove what setup made
	@rm -rf $(VENV) node_modules build

.PHONY: help setup setup-dev serve test check bench format lock clean
