# The two commands of the README are `make demo` and `make test`; each installs
# what is missing first.

.PHONY: demo test check lint build setup schema clean

demo: setup
	go run ./cmd/portal demo $(ARGS)

# With -race what has goroutines of its own; the rest is mostly PostgreSQL's
# work. More tests at a time than cores, since browsers and jobs are waited for.
test: setup
	go vet ./...
	go test -race -parallel 4 -timeout 20m . ./cmd/... ./http/... ./jobs/... ./listener/... ./realtime/... ./internal/pgtest
	go test -timeout 15m ./sql/... ./triggers/... $(shell go list ./internal/... | grep -v pgtest)

build:
	go build -trimpath -o bin/portal ./cmd/portal

# PostgreSQL's server binaries and a browser, by the system's package manager.
setup:
	@scripts/setup

# golangci-lint is not installed by setup: it checks style and the import rules,
# which the tests hold as well.
lint:
	golangci-lint run

# Writes sql/schema.sql from the migrations.
schema:
	UPDATE_SCHEMA=1 go test -run TestSchema ./sql

clean:
	rm -rf bin .portal
