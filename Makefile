# Every target does its own set-up: Python 3.11+, make and the package index are all that is needed.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test unit fuzz mutate check check-deploy fix docs proto lock wheel bench-agent bench-evidence bench-ingest bench-outages bench-sla soak crash clean

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

$(INSTALLED): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Vedette needs Python 3.11 or newer, found " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 ...")'
	@echo "Setting up .venv from requirements/dev.txt (once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(INSTALLED)

demo: $(INSTALLED) ## Three regions, one outage, one blip, one SLA figure; about a minute.
	@$(BIN)/vedette demo

test: check unit ## The gates, then every test.

unit: $(INSTALLED) ## Every test, without the gates.
	@$(BIN)/python -m pytest -n 3 --dist worksteal -q

fuzz: $(INSTALLED) ## The laws on new examples, and new lives of a controller; a failure prints how to get it again.
	@for round in 1 2 3 4 5; do VEDETTE_HYPOTHESIS=fuzz $(BIN)/python -m pytest -n 2 -q --timeout 600 tests/property || exit 1; done
	@VEDETTE_HYPOTHESIS=deep $(BIN)/python -m pytest -n 2 -q --timeout 1800 tests/property/test_evidence_readers.py
	@$(BIN)/python -m tests.property.life --seconds 300 --first $$$$

mutate: $(INSTALLED) ## A bundle of evidence changed in ten thousand ways: both verifiers refuse each; ten minutes.
	@$(BIN)/python -m tests.mutation

check: $(INSTALLED) ## The gates: lint, types, layers, generated code, dependencies, spelling.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted; run: make fix"; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python protos/generate.py --check
	@$(BIN)/python docs/generate.py --check
	@cd protos && ../$(BIN)/buf lint
	@$(BIN)/deptry . --no-ansi
	@$(BIN)/codespell

check-deploy: ## Units, images, compose file and role of deploy/, with tools of their own.
	@PYTHON=$(PYTHON) deploy/check.sh

fix: $(INSTALLED) ## Format and mend what can be mended by itself.
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

docs: $(INSTALLED) ## Regenerate the tables of docs/ and the JSON Schema of a check.
	@$(BIN)/python docs/generate.py

proto: $(INSTALLED) ## Regenerate the Python of protos/.
	@$(BIN)/python protos/generate.py

lock: $(INSTALLED) ## Recompile requirements/*.txt from pyproject.toml.
	@for extra in agent controller dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
	  --extra $$extra pyproject.toml --output-file requirements/$$extra.txt; done
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-emit-find-links --no-header --no-annotate - --output-file requirements/build.txt

wheel: $(INSTALLED) ## Build the distribution into dist/.
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist .

bench-agent: $(INSTALLED) ## CPU a check beside blackbox_exporter, memory, schedule and phase errors; about three minutes.
	@$(BIN)/python -m tests.bench.agent

bench-ingest: $(INSTALLED) ## Results per second: mTLS, durable, evaluated; with the limits of this machine beside it.
	@$(BIN)/python -m tests.bench.ingest

bench-sla: $(INSTALLED) ## A year of 1,000 checks under 200 contracts, in every period; how it grows; half a minute.
	@$(BIN)/python -m tests.bench.sla

bench-evidence: $(INSTALLED) ## A month of one contract handed over and verified, by both verifiers; about six minutes.
	@$(BIN)/python -m tests.bench.evidence

bench-outages: $(INSTALLED) ## A million pairs resident: results/s, memory; a late result into a month; detection; ten minutes.
	@$(BIN)/python -m tests.bench.outages

soak: $(INSTALLED) ## A controller and three agents, killed at random for three minutes: nothing lost, nothing doubled.
	@$(BIN)/python -m tests.soak

crash: $(INSTALLED) ## A controller and an agent, killed or failed at every call that writes, and what they promised; half an hour.
	@$(BIN)/python -m tests.crash

clean: ## Remove what was built or installed here.
	@rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
