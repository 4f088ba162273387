SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_DISABLE_TELEMETRY := yes
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1
export HF_HUB_OFFLINE ?= 1
# OpenMP's threads wait by spinning unless told otherwise.
export OMP_WAIT_POLICY ?= PASSIVE
# Without bytecode each of the processes of a demo or a test compiles all it imports again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo up install-all test test-long check bench docs compose-up compose-down compose-test

# The stamps keep an install from running twice; a changed pyproject or constraints file runs it again.
$(VENV)/.base: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[platform,serving]'
	touch $@

$(VENV)/.all: $(VENV)/.base
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[platform,serving,torch,dev]'
	touch $@

demo: $(VENV)/.base          ## simulator -> lake -> features -> models -> one HTTP forecast
	$(BIN)/spx demo

up: $(VENV)/.base            ## Dagster UI 3000, serving 8000, MLflow UI 5001; Ctrl-C stops all
	$(BIN)/spx up $(ARGS)

install-all: $(VENV)/.all    ## everything the tests need

test: $(VENV)/.all           ## the short suite on two workers
	$(BIN)/pytest -q -n 2 --dist worksteal

test-long: $(VENV)/.all      ## the slow proofs
	$(BIN)/pytest -q -n 2 --dist worksteal -m long --timeout=3000

check: $(VENV)/.all          ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.all          ## the budgets, one table
	$(BIN)/python -m spx_assets_tests.benchmarks

COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

.env:                        ## secrets of one's own, unless there are some
	umask 077 && sed -e "s/^POSTGRES_PASSWORD=$$/&$$(openssl rand -hex 24)/" -e "s/^SPX_SERVING__SECRET=$$/&$$(openssl rand -hex 32)/" .env.example > $@

docs: $(VENV)/.all           ## the pages of docs/ that are made from the code
	$(BIN)/python -m spx_assets_tests.documents

compose-up: .env             ## the whole platform in containers: nginx 8088, Dagster 3000, MLflow 5001
	$(COMPOSE) up --detach --build

compose-down:                ## stops it; the volumes keep everything
	$(COMPOSE) down

compose-test: $(VENV)/.all   ## the containers tried for real; says why where there is no engine
	$(BIN)/python -m spx_assets_tests.compose
