# Targets a person needs; `make help` lists them. Everything runs from .venv and nothing is written outside the clone
# except what raylm itself stores (see README).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo lab test check views shell pictures format bench families tasks clean chromium

BIN := .venv/bin
STAMP := .venv/.installed
VIEWS := raylm/widgets/views
SOURCES := raylm tests examples bench
export PATH := $(CURDIR)/$(BIN):$(PATH)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with the exact versions of constraints.txt

# A new pip first: Debian's resolves these versions for an hour without an end.
# torch goes first and alone: any other order lets the resolver look at torch's CUDA builds, which are gigabytes.
$(STAMP): pyproject.toml constraints.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(MAKE) --no-print-directory .venv/bin/python
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25'
	$(BIN)/python -m pip install -c constraints.txt "$$(grep '^torch==' constraints.txt)"
	$(BIN)/python -m pip install -c constraints.txt -e '.[dev]'
	@touch $@

.PHONY: .venv/bin/python
.venv/bin/python:
	@for python in python3 python3.11 python3.12 python3.13 python3.14; do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  echo "making .venv with $$($$python --version)"; \
	  $$python -m venv --clear .venv && exit 0; \
	done; \
	echo "No Python 3.11 or newer with the venv module: install one (Debian: apt-get install python3-venv)." >&2; exit 1

demo: setup ## train a small GPT on Shakespeare with embedded Ray, then let it speak
	@$(BIN)/python examples/demo.py

lab: setup ## open JupyterLab on the first notebook
	@$(BIN)/jupyter lab --ip=127.0.0.1 $$([ "$$(id -u)" != 0 ] || echo --allow-root) $(LAB_FLAGS) notebooks/01_first_run.ipynb

# The architecture's tests ran in `check`.
test: check chromium ## run every check and every test
	$(BIN)/pytest -n 2 --dist loadgroup --no-loadscope-reorder --ignore tests/test_architecture.py $(PYTEST_FLAGS)

chromium:
	@command -v chromium >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; \
	else \
	  echo "The browser tests are skipped: they need chromium (Debian: sudo apt-get install chromium)." >&2; \
	fi

check: setup views ## lint, format, types, layers, sizes, banned patterns, built views
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q tests/test_architecture.py

views: ## types and format of the views, and that a rebuild gives the committed files
	@cd $(VIEWS); \
	if ! node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null; then \
	  echo "The views are not rebuilt and compared: that needs node 20 or newer. Using raylm needs no node."; \
	else \
	  [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund; \
	  npm run --silent check; \
	fi

shell: setup ## build JupyterLab's extension anew, after a change in its sources; needs node and fetches 150 MB
	cd raylm/labextension/shell && jlpm install --immutable && jlpm build
	$(BIN)/python -m tests.labextension.sources

pictures: setup chromium ## take the pictures of docs/images anew; minutes, on an idle machine
	RAYLM_PICTURES=docs/images $(BIN)/pytest -p no:xdist -q tests/browser/test_pictures.py

format: setup ## write what `make check` asks of the formatter
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: setup ## measure against peers; writes bench/results/*.json (needs an idle machine)
	$(BIN)/python bench/train_cpu.py --json bench/results/train_cpu.json
	$(BIN)/python bench/launch.py --json bench/results/launch.json
	$(BIN)/python bench/seeds.py --json bench/results/seeds.json
	$(BIN)/python -m bench.prepare --json bench/results/prepare.json
	$(BIN)/python -m bench.seek --json bench/results/seek.json
	$(BIN)/python -m bench.list_runs --json bench/results/list_runs.json
	$(BIN)/python -m bench.panel --json bench/results/panel.json
	$(BIN)/python -m bench.near_duplicates --json bench/results/near_duplicates.json
	$(BIN)/python -m bench.personal_data --json bench/results/personal_data.json
	$(BIN)/python -m bench.tokenizer_training --json bench/results/tokenizer_training.json
	$(BIN)/python -m bench.finetune --json bench/results/finetune.json

families: setup ## train and compare all families in the background, an hour or two; again: go on, or the table
	@$(BIN)/python -m bench.background families -- --json bench/results/families.json $(FAMILIES_FLAGS)

tasks: setup ## train every task from random and from pretrained weights in the background; again: go on, or the table
	@$(BIN)/python -m bench.background tasks -- --json bench/results/tasks.json $(TASKS_FLAGS)

clean: ## remove caches and build output (not .venv, not runs)
	rm -rf build dist .pytest_cache .ruff_cache .import_linter_cache bench/results/scratch
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
