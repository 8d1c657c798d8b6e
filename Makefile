# Two commands are all a fresh machine needs: `make demo` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup build demo test sim contract pages fuzz lint fmt bench soak clean

CARGO ?= cargo

help: ## lists what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## installs what the build and the tests need and do not have (Debian packages)
	@./scripts/setup.sh

build: setup ## builds target/release/reshoot
	$(CARGO) build --release --locked -p reshoot

demo: build ## makes a clip from samples/ over HTTP; its path is the last line
	@./scripts/demo.sh

test: setup ## runs every test that CI runs
	@./scripts/test.sh

sim: ## plays simulated histories; SIM_SEEDS=0..1000 for those seeds
	@SIM_SEEDS="$(SIM_SEEDS)" ./scripts/sim.sh

contract: setup ## calls all that /openapi.json describes, with made-up input (needs PyPI once)
	$(CARGO) build --locked -p reshoot
	@./scripts/schemathesis.sh

pages: setup ## uses the pages in a browser (needs Debian's chromium, nodejs, npm; installs them)
	$(CARGO) build --locked -p reshoot
	@./scripts/pages.sh

fuzz: setup ## fuzzes what reads the bytes of strangers, a minute each (cargo-fuzz, else property tests)
	@./scripts/fuzz.sh

lint: setup ## formatting, clippy, house rules, docs without broken links
	@./scripts/lint.sh

fmt: ## formats the code
	$(CARGO) fmt --all
	$(CARGO) fmt --all --manifest-path sim/Cargo.toml

bench: setup ## measures; prints ratios
	@./scripts/bench.sh

soak: setup ## the long rounds: kills under load, simulated histories, fuzzing
	@./scripts/soak.sh

clean: ## removes what was built
	$(CARGO) clean
