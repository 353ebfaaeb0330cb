# Thin on purpose (and fit for the make 3.81 of macOS): how things get installed is in tools/.
# `make` alone lists what there is.

PYTHON ?= python3
PREPARE = @$(PYTHON) tools/prepare.py
VENV_PYTHON = .venv/bin/python
# What runs inside a session must not believe that it was started by this make.
HOLD = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES $(VENV_PYTHON) -m holdfast
PYTEST = $(VENV_PYTHON) -m pytest
CODE = $(wildcard src tests tools benchmarks fuzz examples)

# For `make fuzz`: seconds for each target.
T ?= 60

# For `make torture`: how often.
N ?= 1000

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run dev check test proof torture bench fuzz docs format locks clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: ## open a shell that is kept, in a browser; ARGS="..." are arguments of hold instead
	$(PREPARE) run
ifdef ARGS
	@exec $(HOLD) $(ARGS)
else
	@$(HOLD) run --detach --key make-run >/dev/null # the first time; from then on it is found
	@exec $(HOLD) host --open
endif

dev: ## show the page of the host while it is written; ARGS="--headless" and the like are for hold dev
	$(PREPARE) check
	@exec $(VENV_PYTHON) tools/develop.py $(ARGS)

check: ## format, lint, types and the quick tests, in seconds; before every commit
	$(PREPARE) check
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m mypy --strict $(CODE)
	@$(PYTEST) --quiet $(wildcard tests/unit tests/test_*.py) -m "not slow and not proof"

test: ## every test but the long ones
	$(PREPARE) test
	@$(PYTEST) tests

proof: ## the long tests: fresh machines, kills, floods
	$(PREPARE) test
	@$(PYTEST) tests -m proof

torture: ## kill the daemon N=1000 times while programs print, and while somebody types
	$(PREPARE) test
	@$(VENV_PYTHON) tools/torture.py $(N)

bench: ## measure: benchmarks/NAME.py with B=NAME, or all of them
	$(PREPARE) test
	@set -e; for script in $(if $(B),benchmarks/$(B).py,$(wildcard benchmarks/*.py)); do \
	  echo "== $$script"; $(VENV_PYTHON) $$script; done

fuzz: ## feed rubbish to every target in fuzz/, T=60 seconds each
	$(PREPARE) fuzz
	@mkdir -p artifacts
	@set -e; for target in $(wildcard fuzz/*.py); do \
	  echo "== $$target"; $(VENV_PYTHON) $$target -max_total_time=$(T) -artifact_prefix=artifacts/; done
	@echo "fuzz: $(words $(wildcard fuzz/*.py)) targets, $(T) s each, nothing found"

docs: ## write docs/reference anew from the code
	$(PREPARE) run
	@$(VENV_PYTHON) tools/reference.py
	@$(VENV_PYTHON) tools/manpages.py

format: ## format the code and mend what the linter can mend
	$(PREPARE) check
	@$(VENV_PYTHON) -m ruff format .
	@$(VENV_PYTHON) -m ruff check --fix .

locks: ## write locks/ anew after a change of dependencies; ARGS=--upgrade moves every version
	$(PREPARE) run
	@$(VENV_PYTHON) tools/locks.py $(ARGS)

# Not artifacts/: what a fuzzer found is evidence.
clean: ## remove the environment, the caches and what was built
	rm -rf .venv tests/oracle/node_modules web/node_modules src/holdfast/host/page .prepare .mypy_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
