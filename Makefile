# `make help` lists the commands. The build itself is CMake's; this file only
# puts the steps in order.
SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := build
.PHONY: help install build test test-fast demo demo-stop bench clean format

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

install: ## what building and running need (Debian packages, DuckDB)
	@tools/install_dependencies.sh

build: install ## the program, build/release/segue
	@tools/build.sh release segue

test: install ## everything: unit, end to end, sanitizers; the last line counts
	@tools/install_dependencies.sh test
	@tools/build.sh release
	@tools/test.py

test-fast: install ## the unit tests and the rule of sight
	@tools/build.sh release
	@tools/test.py --fast

demo: build ## made-up listeners, a trained model, and a server in the background
	@build/release/segue demo --data demo-data

demo-stop: ## stops the demo's server
	@if [ -x build/release/segue ]; then build/release/segue demo --stop --data demo-data; \
	else echo "The demo is not built."; fi

bench: install ## benchmarks, built and run
	@tools/install_dependencies.sh bench
	@tools/build.sh bench
	@for program in build/bench/bench/*_bench; do $$program || exit 1; done
	@if [ -n "$$SEGUE_TEST_DATA" ]; then tools/build.sh release segue && bench/loop_bench.py; \
	else echo "The loop is timed on real listening: set SEGUE_TEST_DATA to its folder."; fi
	@if [ -n "$$SEGUE_BENCH_SPLITS" ]; then \
	tools/build.sh release segue && bench/accuracy.py "$$SEGUE_BENCH_SPLITS" && bench/cold_start.py --data "$$SEGUE_BENCH_SPLITS/lastfm-2k" && \
	bench/speed.py --splits "$$SEGUE_BENCH_SPLITS" --data "$$SEGUE_TEST_DATA"; \
	else echo "Models stand beside other libraries on their splits: set SEGUE_BENCH_SPLITS to their folder."; fi

clean: ## removes the builds and the demo's data
	@if [ -x build/release/segue ] && [ -d demo-data ]; then build/release/segue demo --stop --data demo-data >/dev/null; fi
	@rm -rf build demo-data

format: ## clang-format over src and bench
	@tools/install_dependencies.sh format
	@find src bench -name '*.h' -o -name '*.cc' | xargs clang-format -i
