# The two commands of the README are `make demo` and `make test`; each installs
# what is missing first.

.PHONY: demo test test-race test-rest soak lint build sbom licences release setup schema clean

demo: setup
	go run ./cmd/portal demo $(ARGS)

# Side by side, since one of the packages takes half of the time.
test: setup
	go vet ./...
	$(MAKE) -j 2 test-race test-rest

# The packages whose goroutines share memory; cmd/portal runs them all together,
# which takes twice as long under it, and the rest is PostgreSQL's work.
RACE = . ./http/... ./jobs/... ./listener/... ./realtime/... ./transport ./internal/pgtest
test-race:
	go test -race -p 1 -timeout 20m $(RACE)

# More tests at a time than cores, since browsers and jobs are waited for.
test-rest:
	go test -parallel 4 -timeout 20m ./cmd/... ./sql/... ./triggers/... ./health ./pdf ./mail $(shell go list ./internal/... | grep -v pgtest)

# What tests try at random, more often: before a release, or after a change of what they are about.
soak: setup
	PRICE_CASES=1000000 ROUTE_CASES=200000 STANDING_ROUNDS=50 STOCK_ROUNDS=200 WALK_STEPS=10000 go test -timeout 3h \
		-run 'AgreesWithModel|AgreeWithModel|TestStandingOrderPromises|TestStockRace|TestRandomWalk' ./sql ./cmd/portal

build:
	go build -trimpath -o bin/portal ./cmd/portal

# What is inside the program, as CycloneDX, and the licences of that.
sbom: build
	go tool -modfile=tools/release/go.mod cyclonedx-gomod bin -licenses -json -version "$$(git describe --always --dirty)" \
		-output bin/portal.cdx.json bin/portal

licences:
	scripts/licences bin/LICENCES.txt

release:
	scripts/release

# PostgreSQL's server binaries and a browser, by the system's package manager.
setup:
	@scripts/setup

# Four linters, pinned in tools/go.mod and tools/package-lock.json: golangci-lint for Go,
# squawk for migrations, biome for the browser's scripts, and a test that reads
# the templates. The first run builds and fetches them.
GOLANGCI = go tool -modfile=tools/go.mod golangci-lint
lint: tools/node_modules/.package-lock.json
	$(GOLANGCI) run --allow-parallel-runners
	tools/node_modules/.bin/squawk --no-error-on-unmatched-pattern 'sql/migrations/*.sql'
	tools/node_modules/.bin/biome lint --error-on-warnings
	go test -run 'TestTemplate' ./http/page

# Not npm ci: it asks for the programs of other systems, which a registry may not have.
tools/node_modules/.package-lock.json: tools/package-lock.json
	@scripts/setup npm
	cd tools && npm install --no-save --ignore-scripts --no-audit --no-fund
	@touch $@

# Writes sql/schema.sql and sql/wall.jsonl from the migrations, functions and triggers.
schema:
	UPDATE_WALL=1 go test -count=1 -run TestWallManifest ./sql
	UPDATE_SCHEMA=1 go test -count=1 -run TestSchema ./sql

clean:
	rm -rf bin .portal
