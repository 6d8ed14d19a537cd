# The repository's commands. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
PLUGIN_DIRS := $(addprefix plugins/,core-banking crm kyc identity messaging)

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | sort | \
		while IFS=$$'\t' read -r name what; do printf '%-12s %s\n' "make $$name" "$$what"; done

.PHONY: wasm-target
wasm-target:
	@scripts/get-wasm-target.sh

.PHONY: tools
tools: wasm-target ## get what is missing: a Rust toolchain for WASM, a NATS server
	@scripts/get-nats.sh >/dev/null

# cargo knows what has changed, so this always asks it; a component is written only where its bytes differ.
.PHONY: plugins
plugins: wasm-target ## build the five adapters, and the guests for tests, into plugins/dist
	@$(CARGO) build --quiet --package plugin-build
	@$(TARGET)/debug/plugin-build --out plugins/dist $(PLUGIN_DIRS)
	@$(TARGET)/debug/plugin-build --out plugins/dist/fixtures plugins/fixtures plugins/fixtures/kyc

# Each is tested in its own language and built where its sources have changed, and left out, loudly, where its tools can't be had.
.PHONY: examples
examples: ## get Python, Node and their tools, and build the adapters in examples/ into plugins/dist/examples
	@CARGO=$(CARGO) scripts/build-examples.sh

PROFILE ?= release
BIN := $(TARGET)/$(PROFILE)

.PHONY: build
build: plugins ## build the plugins, the simulated outside systems and the hub
	@$(CARGO) build --profile $(PROFILE) --bin hub --bin backends

.PHONY: demo
demo: tools build ## start simulated outside systems, NATS and the hub on loopback, with sample clients
	@PATH="$$(dirname "$$(scripts/get-nats.sh)"):$$PATH" exec $(BIN)/hub demo

.PHONY: test
test: tools plugins examples ## get what is missing and run every test
	@PATH="$$(dirname "$$(scripts/get-nats.sh)"):$$PATH" $(CARGO) test --workspace --no-fail-fast
	@scripts/build-examples.sh --left-out

# The round prints its seed; with the same one it draws the same plan. It ends after KILLS or SECONDS, whichever is first.
KILLS ?= 300
SECONDS ?= 1200

.PHONY: torture
torture: tools plugins ## kill and disturb everything under load, then check that nothing was lost; SEED=1 KILLS=300 SECONDS=1200
	@$(CARGO) build --quiet --bin backends
	@PATH="$$(dirname "$$(scripts/get-nats.sh)"):$$PATH" env KILLS=$(KILLS) SECONDS=$(SECONDS) $(if $(SEED),SEED=$(SEED)) \
		$(CARGO) test --package hub --test torture -- --ignored --nocapture a_long_round

.PHONY: check
check: ## formatting and lints, as errors
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --workspace --all-targets -- --deny warnings

.PHONY: audit
audit: ## licences, bans and sources; advisories where their database can be reached
	@scripts/audit.sh

.PHONY: bench
bench: plugins examples ## measure the hub beside what it is made of, as ratios; ONLY="reads writes" for some
	@$(CARGO) bench --package hub --bench hub -- $(ONLY)
