# The commands of daily work. `make run` and `make test` need nothing but this file: they install
# what is missing first (tools/deps.sh) and say what they are doing.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000

# What the extension is built from: make rebuilds it when one of these is newer.
SOURCES := $(shell find cpp python src cmake -type f ! -name '*.pyc' 2>/dev/null) \
           CMakeLists.txt pyproject.toml requirements/build.txt
BUILT := $(VENV)/.tercel-built

.PHONY: help deps build run test test-long conformance bench fmt lint docs clean

help:  ## Print this list.
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

deps:  ## Install what is missing on this machine (apt as root or sudo, Python packages in .venv).
	@tools/deps.sh

build: deps $(BUILT)  ## Build tercel and install it in .venv.

$(BUILT): $(SOURCES) | deps
	@echo "build: compiling tercel into $(VENV) (optimised; the first time takes minutes)"
	@tools/build_extension.sh "$(BIN)/python" build/extension
	@touch $@

run: build  ## Serve examples/fastapi_hello on http://127.0.0.1:8000 (PORT=... for another port).
	@exec $(BIN)/tercel serve --app-dir examples/fastapi_hello --port $(PORT) main:app

test:  ## Run every test that a change must pass: below 20 minutes on two cores.
	@tools/deps.sh --test
	@tools/run_tests.sh

test-long:  ## Run the slow ones too: fuzzers, slowhttptest, Chromium, clang-tidy, sanitised suites.
	@tools/deps.sh --long
	@tools/run_tests.sh --long

conformance: build  ## Run the suites of others: h2spec, Autobahn, versitygw. Skips, and says so, what cannot be had here.
	@tools/conformance.sh

bench:  ## Measure against the other servers; raw results go to bench/results/.
	@tools/deps.sh --bench
	@$(MAKE) --no-print-directory $(BUILT)
	@$(BIN)/python bench/run.py $(BENCH_ARGS)

fmt: deps  ## Format C++ and Python, and refresh the code in the documents.
	@tools/cpp_files.sh | xargs -r $(BIN)/clang-format -i
	@$(BIN)/ruff format --quiet . && $(BIN)/ruff check --quiet --fix .
	@$(BIN)/python tools/sync_docs.py

lint: deps  ## Check format, layers, documents and types, as `make test` does.
	@tools/run_tests.sh --lint

clean:  ## Remove what was built (the virtual environment stays).
	@rm -rf build dist $(BUILT)
