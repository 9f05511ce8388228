# Everything a person runs; each target makes its own environment first, in .venv, once.
#
# One environment serves all targets: what the tests and linters add takes a fifth of the
# installation, less than a second stamp would cost in rules.

VENV := .venv
STAMP := $(VENV)/.installed
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help install reanalysis published test check lint bench clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo "A Python 3.12 to 3.14 is found by itself; to name one: make PYTHON=/path/to/python3.13 ..."

install: $(STAMP)  ## make .venv with the versions of constraints.txt

reanalysis published: $(STAMP)
	$(VENV)/bin/netlm-bayes reanalyse --out results/$@
	@$(VENV)/bin/netlm-bayes report results/$@ | grep report.html

reanalysis:  ## re-analyse both published cohorts into results/reanalysis/, with a page each
published:  ## the same into results/published/, for who commits it: README shows its numbers

test: $(STAMP)  ## run every test and every docstring's example
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(STAMP)  ## the tests without sampling, simulation studies and browser, then the linters
	$(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not sampling and not browser" \
	    --ignore=tests/statistical
	@$(MAKE) lint

lint: $(STAMP)  ## check style, format, types, who imports whom, and that no code reads a note
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python tools/lint_notes.py

bench: $(STAMP)  ## compare with the peers
	$(VENV)/bin/python benchmarks/run.py

clean:  ## remove .venv and caches; results/ stays
	rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that is whole is kept; one that is broken, half made or too old is made anew.
$(STAMP): pyproject.toml constraints.txt
	@$(VENV)/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null || { \
	    python=$$(sh tools/find-python) && \
	    echo "Making $(VENV) with $$python; this takes a minute or two, once." && \
	    "$$python" -m venv --clear $(VENV); }
	@$(VENV)/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
