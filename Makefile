# Trama. `make help` lists what there is; README.md says what it is for.
SHELL := /usr/bin/env bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN      := .cache/bin
MODULES  := proto services gateway
PACKAGES := $(addprefix ./,$(addsuffix /...,$(MODULES)))
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
GOBUILD  := CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

.PHONY: help
help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Builds the binary, .cache/bin/trama
	$(GOBUILD) -o $(BIN)/trama ./gateway/cmd/trama

.PHONY: run
run: build ## Runs the whole suite in one process, data in ./data
	$(BIN)/trama serve

.PHONY: demo
demo: build ## Loads the demonstration scenario through the REST API of a running suite
	$(BIN)/trama demo

.PHONY: test
test: postgres ## Runs all tests, on SQLite and on a private PostgreSQL
	go test -timeout 20m $(TESTFLAGS) $(PACKAGES)

.PHONY: test-race
test-race: postgres ## Runs all tests with the race detector (wants a C compiler)
	CGO_ENABLED=1 go test -race -timeout 40m $(TESTFLAGS) $(PACKAGES)

.PHONY: e2e
e2e: postgres ## Runs the end-to-end tests on both shapes: one process, and one process each
	go test -count=1 -v -timeout 20m $(TESTFLAGS) ./gateway/e2e/...

.PHONY: bench
bench: build postgres ## Measures, on the machine at hand
	./scripts/bench.sh

.PHONY: gen
gen: $(BIN)/.tools ## Regenerates proto/gen with the pinned tools
	./scripts/gen.sh

.PHONY: gen-check
gen-check: gen ## Fails where proto/gen is not what gen makes, or the protos break lint
	cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf format -d --exit-code --path trama
	@git diff --exit-code --stat -- proto/gen && test -z "$$(git status --porcelain -- proto/gen)" \
	  || { echo "proto/gen is not up to date: run make gen and commit"; exit 1; }

.PHONY: lint
lint: $(BIN)/golangci-lint $(BIN)/manifests ## Runs the linters on every module, and checks the manifests and the OpenAPI tool
	@for m in $(MODULES); do echo "lint $$m"; (cd $$m && ../$(BIN)/golangci-lint run --config ../.golangci.yml ./...) || exit 1; done
	$(BIN)/manifests deploy
	cd scripts/tools && GOWORK=off go test ./openapi

.PHONY: build-standalone
build-standalone: ## Builds every module without the workspace, as a client would
	@for m in $(MODULES); do echo "build $$m"; (cd $$m && GOWORK=off CGO_ENABLED=0 go build ./... && GOWORK=off go mod verify >/dev/null) || exit 1; done

.PHONY: postgres
postgres:
	@./scripts/ensure-postgres.sh

.PHONY: ci
ci: ## Does what CI does
	./.ci/run

# The tools are built once for each change of their pins; buf and the linter
# take minutes the first time.
$(BIN)/.tools: scripts/tools/go.mod scripts/tools/protoc/go.mod $(wildcard scripts/tools/openapi/*.go)
	@mkdir -p $(BIN)
	cd scripts/tools && GOWORK=off go build -o ../../$(BIN)/ github.com/bufbuild/buf/cmd/buf
	cd scripts/tools && GOWORK=off go build -o ../../$(BIN)/openapi-finish ./openapi
	cd scripts/tools/protoc && GOWORK=off go build -o ../../../$(BIN)/ tool
	@touch $@

$(BIN)/golangci-lint: scripts/tools/go.mod
	@mkdir -p $(BIN)
	cd scripts/tools && GOWORK=off go build -o ../../$(BIN)/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

$(BIN)/manifests: scripts/tools/manifests/go.mod scripts/tools/manifests/main.go
	@mkdir -p $(BIN)
	cd scripts/tools/manifests && GOWORK=off go build -o ../../../$(BIN)/manifests .
	@touch $@

$(BIN)/benchstat: scripts/tools/go.mod
	@mkdir -p $(BIN)
	cd scripts/tools && GOWORK=off go build -o ../../$(BIN)/ golang.org/x/perf/cmd/benchstat
	@touch $@
