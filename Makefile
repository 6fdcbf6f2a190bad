# Each target does its own set-up. Without make: `npm ci`, then `npm start`, `npm run generate`, `npm test`.

.DEFAULT_GOAL := help
.PHONY: help run generate test test-all test-long check format bench spec clean docker-run docker-generate docker-test docker-clean

# AMOUNT is how many groups `make generate` creates. ARGS is passed to the program as it is.
AMOUNT ?= 1000
ARGS ?=

# npm writes this file last. When it is older than the lockfile, a change is not installed yet.
INSTALLED := node_modules/.package-lock.json

# Compose v2, or the program of v1.
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

help: ## Lists these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

run: $(INSTALLED) ## A local cluster: three nodes and the public API (ARGS="--nodes 5 --port 9000")
	@bin/cohort up $(ARGS)

generate: $(INSTALLED) ## Creates groups and verifies them on every node (AMOUNT=1000, ARGS="--url ...")
	@bin/cohort generate --amount $(AMOUNT) $(ARGS)

test: $(INSTALLED) ## Format, lint, types and the tests, but for those of whole systems (four minutes)
	@npm test --silent

test-all: $(INSTALLED) ## What CI runs: the same, and the tests of whole systems
	@npm run --silent test:all

test-long: $(INSTALLED) ## Durability, faults, searches, benchmarks (CONTRIBUTING.md: what it needs)
	@npm run --silent test:long

check: $(INSTALLED) ## Format, lint and types alone
	@npm run --silent check

format: $(INSTALLED) ## Formats the code, and mends what the linter can
	@npm run --silent format

bench: $(INSTALLED) ## Measures throughput, what clients see of a node that fails, and repair (needs wrk)
	@npm run --silent bench
	@npm run --silent bench:outage
	@npm run --silent bench:repair

spec: ## Searches the models of the protocol (needs gcc; ARGS=word: only rows with it)
	@spec/run.sh $(ARGS)

clean: ## Removes what was installed; the cluster's data (.cohort) stay
	rm -rf node_modules

docker-run: ## The same cluster in containers
	@$(COMPOSE) up --build

docker-generate: ## Creates and verifies groups, from a container (AMOUNT=1000)
	@AMOUNT=$(AMOUNT) $(COMPOSE) --profile generate run --rm generate

docker-test: ## Every test, in a container
	@$(COMPOSE) --profile test build test
	@$(COMPOSE) --profile test run --rm test

docker-clean: ## Stops the containers, and removes them and their data
	@$(COMPOSE) --profile generate --profile test down --volumes --remove-orphans

$(INSTALLED): package-lock.json package.json
	@command -v npm >/dev/null || { echo 'make: npm is missing: install Node 20 or newer, which brings it (https://nodejs.org)' >&2; exit 1; }
	npm ci
	@touch $@
