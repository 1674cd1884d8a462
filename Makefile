# Two commands set everything up on a machine with Go, Node and npm:
#   make run    the demo platform, then curl lines to try
#   make test   everything CI runs
SHELL := /bin/bash
ENGINE := isolate/js/engine/engine.wasm
NPM_CI := npm ci --no-audit --no-fund --ignore-scripts --loglevel=error

.PHONY: all build engine bundles run test vet unit race fuzz fuzz-short canary crash clients redeploy scale bench soak wpt wpt-tests clean

all: build

# The JavaScript engine: npm's QuickJS and our shim, merged; and Node's modules, bundled. Embedded
# into the binary.
engine: $(ENGINE)
$(ENGINE): isolate/js/package-lock.json isolate/js/build.mjs isolate/js/wasmfile.mjs isolate/js/shim/shim.wasm \
		isolate/js/nodebuild.mjs $(wildcard isolate/js/node/*.mjs isolate/js/node/*/*.mjs isolate/js/nodelib/*.mjs)
	cd isolate/js && $(NPM_CI) && node build.mjs

build: engine
	go build -o bin/switchyard ./cmd/switchyard
	go build -o bin/loadtest ./cmd/loadtest

run: build
	./bin/switchyard serve --demo --data ./data/demo

# wrangler and the TypeScript SDK, pinned, for the end-to-end tests.
cmd/switchyard/e2e/node_modules: cmd/switchyard/e2e/package-lock.json
	cd cmd/switchyard/e2e && $(NPM_CI)
	@touch $@

# Popular packages, bundled as their users bundle them.
BUNDLES := cmd/switchyard/bundles
bundles: $(BUNDLES)/out
$(BUNDLES)/out: $(BUNDLES)/package-lock.json $(BUNDLES)/build.mjs $(wildcard $(BUNDLES)/workers/*.js)
	cd $(BUNDLES) && $(NPM_CI) && node build.mjs

test: engine cmd/switchyard/e2e/node_modules bundles wpt-tests vet unit race fuzz-short

# ST1005 off: guests catch our errors, whose words, capitals and full stops are a contract.
vet:
	go vet ./...
	go tool staticcheck -checks inherit,-ST1005 ./...

unit:
	go test -timeout 15m -count=1 ./...

race:
	go test -race -timeout 15m -short ./engine/... ./isolate/ ./gateway/... ./loadtest ./fuzz

# Each fuzz target for a few seconds, so that a find shows up in CI and not at a user's.
fuzz-short:
	.ci/fuzz 5s

# Ten minutes: each fuzz target for a while, then the platform against its model, and histories of a server that is killed.
fuzz: engine
	.ci/fuzz 15s
	SWITCHYARD_FUZZ_TIME=80s go test -count=1 -timeout 30m -v -run '^Test(Sequence|Crowd|History)$$' ./fuzz

# What one tenant wrote is looked for by the next, a million times instead of 20,000.
canary: engine
	SWITCHYARD_CANARY=1000000 go test -timeout 60m -count=1 -v -run '^TestCanary' ./isolate

# 500 kill points instead of 20.
crash:
	SWITCHYARD_CRASH_POINTS=500 go test -timeout 60m -count=1 -v -run Crash ./engine/store ./cmd/switchyard

# 600 deploys of one script under load; start and look-up with 100,000 scripts.
redeploy: engine
	SWITCHYARD_REDEPLOY_SECONDS=30 go test -timeout 10m -count=1 -v -run '^TestRedeploy$$' ./cmd/switchyard
scale: engine
	SWITCHYARD_SCALE=1 go test -timeout 10m -count=1 -v -run '^TestScale$$' ./cmd/switchyard

# Every client against the started program, the Go SDK (which takes minutes to build) too.
clients: engine cmd/switchyard/e2e/node_modules
	SWITCHYARD_GO_SDK=1 go test -timeout 20m -count=1 -v -run '^(TestWrangler|TestSDK|TestGoSDK)' ./cmd/switchyard

# The web-platform tests, each a Worker of a running Switchyard, and tables beside workerd's:
#   make wpt AREA=url FILE=url-origin NAMES=100
# runs one area, only the scripts whose key matches, and prints up to so many surprises of each.
WPT := data/wpt
AREA ?= all
FILE ?= .
NAMES ?= 5
wpt: engine
	cmd/switchyard/wpt/fetch $(WPT)
	go test ./cmd/switchyard -run '^TestWPT$$' -count=1 -timeout 60m -v -args \
		-wpt.area '$(AREA)' -wpt.file '$(FILE)' -wpt.names '$(NAMES)'

# Where Debian's archive cannot be reached, the unit tests run without the short set of them.
wpt-tests:
	-timeout 180 cmd/switchyard/wpt/fetch $(WPT)

# Every scenario beside its peers, on a machine that should do nothing else.
# Ten minutes of every failure at every stage: nothing may grow.
soak: engine
	SWITCHYARD_SOAK=10m go test ./cmd/switchyard -run TestSoak -count 1 -timeout 20m -v

bench: engine
	go run ./bench -results bench/RESULTS.md

clean:
	rm -rf bin data $(ENGINE) isolate/js/engine/node isolate/js/engine/intl $(BUNDLES)/out
