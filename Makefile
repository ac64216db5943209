.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test browser screenshots simulate up down status airflow monitor bench lint format types docs \
	requirements env clean

# Python 3.11 or newer, with venv; PYTHON=/path/to/python chooses another one.
USABLE := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.11 python3.12 python3 python; do \
	if "$$python" -c '$(USABLE)' >/dev/null 2>&1; then echo "$$python"; break; fi; done)

UI_PORT ?= 8080
AWS_PORT ?= 5566
TESTS ?=
ARGS ?= version

VENV := .venv/.installed
ORACLE := .venv-oracle/.installed
SPARK := .venv-spark/.installed
EXAMPLE := .local/demo/model.tar.gz
RUN := PYTHONPATH=include:plugins .venv/bin/python
PIP := -m pip install --quiet --disable-pip-version-check

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV) $(EXAMPLE) ## the whole flow on this machine: deploy, capture, baseline, monitor, judge, clean up
	@$(RUN) -m demo.run

test: $(VENV) $(ORACLE) $(SPARK) $(EXAMPLE) browser ## all tests; TESTS="tests/analysis -k bias" for some
	@$(RUN) -m pytest -q $(TESTS)

browser: $(VENV) ## Chromium for the tests in a browser: found, or Debian's package installed by root
	@$(RUN) -m screenshots.chromium

screenshots: $(VENV) $(EXAMPLE) browser ## docs/images/*.png, of the week that `make simulate` left, or of a new one
	@$(RUN) -m screenshots

up: $(VENV) $(EXAMPLE) ## start Airflow (127.0.0.1:8080) and the embedded AWS, and leave them running
	@$(RUN) -m stack up --ui-port $(UI_PORT) --aws-port $(AWS_PORT)

simulate: $(VENV) $(EXAMPLE) ## a week of the example in minutes, with drift on its fifth day, left for `make up`; FRESH=1
	@$(RUN) -m simulation $(if $(FRESH),--fresh)

down: ## stop what `make up` started
	@if test -x .venv/bin/python; then $(RUN) -m stack down; else echo "Nothing is running."; fi

status: $(VENV) ## what is running
	@$(RUN) -m stack status

airflow: $(VENV) ## an Airflow command on what runs: make airflow ARGS="tasks test churn.deploy prepare.check_bucket"
	@$(RUN) -m stack airflow $(ARGS)

monitor: ARGS = status
monitor: $(VENV) ## how all endpoints stand; ARGS="check include/endpoints/churn.yaml" tests a definition
	@$(RUN) -m stack monitor $(ARGS)

bench: $(VENV) $(ORACLE) $(EXAMPLE) ## the benchmark table
	@PYTHONPATH=include:plugins:. .venv/bin/python -m benchmarks

lint: $(VENV) ## ruff
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .

format: $(VENV) ## let ruff mend what it can
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .

types: $(VENV) ## mypy
	@.venv/bin/mypy

docs: $(VENV) ## docs/local_aws.md, from the code of local_aws
	@$(RUN) -m local_aws.documentation

env: ## a .env with generated secrets for docker compose
	@$(call need_python) PYTHONPATH=include "$(PYTHON)" -m stack.compose_env .env

clean: down ## remove the environments and all state
	rm -rf .venv .venv-oracle .venv-spark .local .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(EXAMPLE): $(VENV) include/demo/data.py include/demo/model.py
	@$(RUN) -m demo.data --out $(@D)
	@touch $@

$(VENV): requirements.txt requirements-local.txt requirements-dev.txt
	@$(call need_python) test -x .venv/bin/python || "$(PYTHON)" -m venv .venv
	@echo "Installing into .venv (some minutes the first time)"
	@.venv/bin/python $(PIP) $(foreach file,$^,--requirement $(file))
	@touch $@

$(ORACLE) $(SPARK): .venv-%/.installed: requirements-%.txt
	@$(call need_python) test -x $(@D)/bin/python || "$(PYTHON)" -m venv $(@D)
	@echo "Installing into $(@D) (some minutes the first time)"
	@$(@D)/bin/python $(PIP) --requirement $<
	@touch $@

requirements: ## recompile requirements*.txt; UPGRADE=--upgrade for newer versions
	@$(call need_python) test -x .local/uv/bin/uv || \
		{ "$(PYTHON)" -m venv .local/uv && .local/uv/bin/python $(PIP) uv; }
	@for name in $(COMPILED); do .local/uv/bin/uv pip compile --quiet --universal --python-version 3.11 \
		--no-emit-index-url --custom-compile-command "make requirements" $(UPGRADE) \
		--output-file $$name.txt $$name.in || exit 1; done

# Each one constrains those after it.
COMPILED := requirements requirements-local requirements-dev requirements-compose requirements-oracle requirements-spark

define need_python
test -n "$(PYTHON)" || { \
	echo "No usable Python found: this needs Python 3.11 or newer with its venv module" >&2; \
	echo "(Debian and Ubuntu: apt install python3-venv). PYTHON=/path/to/python names another one." >&2; exit 1; };
endef
