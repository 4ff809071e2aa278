# The whole house in a few commands. All that a machine needs beforehand is Python 3.11 to 3.13 and make.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lint format docs bench-build bench-cdc lock clean

PYTHON ?= python3
BIN := .venv/bin
# dbt finds the profiles beside the project.
export DBT_PROFILES_DIR ?= $(CURDIR)
# One resolution for all supported Pythons and systems, by hash, naming no index. Extras stay, because pip with hashes asks
# for the very requirement (mashumaro[msgpack]) that a package names.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes \
	--no-emit-index-url --no-emit-package dbt-databricks-local --custom-compile-command "make lock" $(UPGRADE)
SQL_FOLDERS = $(wildcard models macros snapshots tests/generic tests/singular)

help: ## list the commands
	@$(PYTHON) -c "import re; [print('make %-11s %s' % t) for t in re.findall('^([a-z-]+):.*## (.+)', open('Makefile').read(), re.M)]"

setup: ## make .venv with the locked packages, Java, the jars and profiles.yml; quick when nothing changed
	@$(PYTHON) requirements/install.py

demo: setup ## build everything from nothing on this machine
	@$(BIN)/python -m nextbest.demo

# Two processes, each with a Spark of its own: one alone leaves half of two cores idle.
PYTEST = $(BIN)/python -m pytest --numprocesses 2

test: setup lint ## what CI runs
	@echo "pytest, without the tests that take long"
	@$(PYTEST) -m "not long"

test-all: setup lint ## the same and the tests that take long
	@echo "pytest, long tests included"
	@$(PYTEST)

lint: setup ## ruff, mypy, sqlfluff
	@echo "ruff check"
	@$(BIN)/ruff check .
	@echo "ruff format --check"
	@$(BIN)/ruff format --check .
	@echo "mypy"
	@$(BIN)/mypy
	@if [ -n "$(SQL_FOLDERS)" ]; then echo "sqlfluff lint $(SQL_FOLDERS)"; $(BIN)/sqlfluff lint --disable-progress-bar $(SQL_FOLDERS); fi

format: setup ## rewrite Python to the house format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup ## dbt docs with lineage, in target/
	@$(BIN)/dbt docs generate --static

bench-build: setup ## what a dbt build costs, split; OPTIONS="--customers 1000 10000"
	@$(BIN)/python benchmarks/dbt_build.py $(OPTIONS)

bench-cdc: setup ## AUTO CDC beside a hand-written MERGE and delta-rs; OPTIONS="--events 100000 1000000 10000000"
	@$(BIN)/python local/benchmarks/auto_cdc.py $(OPTIONS)

lock: setup ## resolve the locked requirements from the pyproject files; UPGRADE=--upgrade for newer ones
	$(LOCK) -o requirements/runtime.txt pyproject.toml
	$(LOCK) -o requirements/dev.txt -c requirements/runtime.txt --group dev pyproject.toml
	$(LOCK) -o requirements/build.txt -c requirements/dev.txt --group build

clean: ## remove what builds and tests wrote; .venv and the caches of downloads stay
	rm -rf target logs warehouse landing dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
