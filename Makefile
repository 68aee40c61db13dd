# Every target is described by its own "##" comment; `make help` prints them.

SHELL       := /bin/bash
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
LEAVES      := ./codec/... ./batch/... ./pool/... ./shard/... ./presence/...
ADAPTERS    := $(patsubst %,./%/...,$(wildcard adapters/*))
E2E         := internal/e2e
INTEROP     := internal/interop
ZLIB_SYNC   := $(INTEROP)/bots/discordjs-zlib/node_modules/zlib-sync/build/Release/zlib_sync.node
FUZZTIME    ?= 30s
BENCHTIME   ?= 1s
SEEDS       ?= 10000
MUTANTS     ?= all
INSTANTS    ?= 50
ROLLS       ?= 2
KILLS       ?= 3
CLIENTS     ?= 10000

.DEFAULT_GOAL := help
.NOTPARALLEL:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: check
check: lint libraries counted test e2e bench-check ## all that must be green: lint, what is counted, the tests with -race, other people's clients among them, then browsers, then the benchmarks' own

.PHONY: lint
lint: ## gofmt, vet for three systems, staticcheck (staticcheck.conf), the house rules, tidy modules
	@unformatted="$$(gofmt -l .)"; [ -z "$$unformatted" ] || { echo "gofmt -w is needed for:"; echo "$$unformatted"; exit 1; }
	go vet work
	$(MAKE) --no-print-directory cross
	go run $(STATICCHECK) work
	go test -count=1 ./internal/house
	$(MAKE) --no-print-directory tidy-check

.PHONY: test
test: ## the tests of every module in the workspace, with the race detector
	go test -race -timeout 10m work

.PHONY: servers
servers: ## install the servers that tests start: Redis, PostgreSQL, nginx, HAProxy, and from Maven Central Kafka and Cassandra; root, once
	.ci/install redis-server redis-sentinel postgresql nginx-light haproxy openjdk-17-jre-headless maven
	go run ./internal/servers/maven/fetch

.PHONY: servers-test
servers-test: ## start, kill and start again each of those servers; 3 minutes; what is not installed is skipped
	GATEHOUSE_SERVERS=true go test -race -count=1 -timeout 10m -v ./internal/servers/...

.PHONY: kits
kits: $(E2E)/node_modules/.package-lock.json ## every kit on every store, index and queue, and a chat on them, with real servers (make servers); what is not installed fails
	CI=true GATEHOUSE_SERVERS=true go test -race -count=1 -p 1 -timeout 20m ./gateway/message/... $(ADAPTERS) ./examples/customstore ./examples/backends ./examples/services
	CI=true GATEHOUSE_SERVERS=true go test -race -count=1 -run '^TestCluster(Messages)?Redis$$' ./examples/cluster

.PHONY: balanced
balanced: ## nodes behind a real nginx and a real HAProxy (make servers), which come and go; what is not installed fails
	CI=true GATEHOUSE_SERVERS=true go test -race -count=1 ./shard/... ./examples/sharded
	CI=true GATEHOUSE_SERVERS=true go test -race -count=1 -run Behind ./gateway
	CI=true GATEHOUSE_SERVERS=true go test -race -count=1 -run Nginx ./examples/cluster

.PHONY: crash
crash: ## kill -9 of a process with a pipeline, then of each server behind an adapter, at INSTANTS=50 random instants under load (make servers)
	cd adapters/sqlite && go test -race -count=1 -run '^TestCrash$$' -v . -args -instants $(INSTANTS)
	cd adapters/postgres && GATEHOUSE_SERVERS=true go test -race -count=1 -timeout 30m -run '^TestCrash$$' -v . -args -instants $(INSTANTS)
	cd adapters/redis && GATEHOUSE_SERVERS=true go test -race -count=1 -timeout 30m -run '^TestCrash' -v . -args -instants $(INSTANTS)
	cd adapters/kafka && GATEHOUSE_SERVERS=true go test -race -count=1 -timeout 60m -run '^TestCrash' -v . -args -instants $(INSTANTS)
	cd adapters/nats && go test -race -count=1 -timeout 30m -run '^TestCrash$$' -v . -args -instants $(INSTANTS)
	cd adapters/cassandra && GATEHOUSE_SERVERS=true go test -race -count=1 -timeout 2h -run '^TestCassandra$$/killed' -v . -args -instants $(INSTANTS)

.PHONY: ghosts
ghosts: ## kill -9 of processes with people online, at INSTANTS=50 random instants, on Redis and NATS, which lose everything too: nobody stays who is gone (make servers)
	cd adapters/redis && CI=true GATEHOUSE_SERVERS=true go test -race -count=1 -timeout 30m -run '^TestGhosts' -v . -args -instants $(INSTANTS)
	cd adapters/nats && go test -race -count=1 -timeout 30m -run '^TestGhosts' -v . -args -instants $(INSTANTS)

.PHONY: cluster-test
cluster-test: ## three nodes with clients, on NATS (with GATEHOUSE_SERVERS=true on Redis too): ROLLS=2, KILLS=3, their broker killed, one cut off from it; rolled to another version of what is stored and back; says what was lost, repeated, and how soon clients were back
	cd examples/cluster && go test -race -count=1 -timeout 10m -run '^TestCluster' -v . -args -rolls $(ROLLS) -kills $(KILLS)

.PHONY: bench-cluster
bench-cluster: ## cluster-test with CLIENTS=10000, 100 on discordgo and ten kills, without the race detector (ENGINE=Redis: on Redis, if installed); then one node and three at full speed, and what they take of the processors; 6 minutes
	cd examples/cluster && GATEHOUSE_SERVERS=true go test -count=1 -timeout 15m -run '^TestCluster(Messages)?$(ENGINE)$$|^TestFullSpeed$$' -v . -args -clients $(CLIENTS) -stock 100 -rate 6 -lease 5s -drain-rate 200 -direct -rolls 2 -kills 10 -full-speed 1000

.PHONY: counted
counted: ## allocations, system calls, encodings and bytes per delivery, heartbeat and session: what must not grow; without -race
	go test -count=1 -run '^TestCounted|Allocat' ./codec/... ./batch/... ./pool/... ./shard/... ./presence/... ./gateway/...

.PHONY: interop
interop: libraries ## bots on other people's libraries, against examples/chat, through cuts and a restart
	CI=true go test -count=1 -race -timeout 6m ./$(INTEROP)/...

.PHONY: libraries
libraries: $(INTEROP)/bots/discordjs/node_modules/.package-lock.json $(ZLIB_SYNC) $(INTEROP)/.venv/.installed ## install those libraries, at the versions that are pinned

.PHONY: e2e
e2e: $(E2E)/node_modules/.package-lock.json ## browsers against real servers; what is missing fails
	cd $(E2E) && CI=true npm test

# npm writes this file last, so it is there when an install was complete.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	cd $* && npm ci
	@touch $@

# A package in C, built against the headers that came with Node.
$(ZLIB_SYNC): $(INTEROP)/bots/discordjs-zlib/node_modules/.package-lock.json
	cd $(INTEROP)/bots/discordjs-zlib && npm rebuild zlib-sync --ignore-scripts=false --nodedir="$$(node -p 'path.resolve(process.execPath, "../..")')"
	@touch $@

$(INTEROP)/.venv/.installed: $(INTEROP)/bots/discordpy/requirements.txt
	python3 -m venv --clear $(INTEROP)/.venv
	$(INTEROP)/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.PHONY: fuzz
fuzz: ## every fuzz target of every module, FUZZTIME=30s each
	.ci/fuzz $(FUZZTIME)

.PHONY: bench
bench: ## benchmarks of the leaves with allocations, BENCHTIME=1s each
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(LEAVES)

.PHONY: bench-leaves
bench-leaves: ## the leaves beside the best known libraries, in one run, with ratios and targets; ARGS='-quick -json'
	cd bench && GOWORK=off go run ./leaves $(ARGS)

SOCKETIO := bench/servers/socketio

.PHONY: bench-peers
bench-peers: ## fan-out beside other libraries and beside write(2) alone: CPU, rates, latencies; 40 minutes, ARGS=-quick 4 (Linux)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(SOCKETIO)/node_modules/.package-lock.json >&2; fi
	@cd bench && GOWORK=off go build -o bench . && ./bench fanout $(ARGS)

.PHONY: bench-idle
bench-idle: ## memory of N=19000 idle connections, over the empty server, beside other libraries; ARGS='-for 10m'
	@cd bench && GOWORK=off go build -o bench . && ./bench idle -n $(or $(N),19000) $(ARGS)

.PHONY: bench-codec
bench-codec: ## bytes of an event, CPU at both ends and memory of a connection, for each encoding; ARGS='-quick -json'
	@cd bench && GOWORK=off go build -o bench . && ./bench codec $(ARGS)

.PHONY: bench-heartbeats
bench-heartbeats: ## CPU of a heartbeat's round trip beside a server that reads and writes back
	@cd bench && GOWORK=off go build -o bench . && ./bench heartbeats $(ARGS)

.PHONY: bench-storm
bench-storm: ## 15,000 sessions drop, miss 20 events and resume at once, beside plain handshakes
	@cd bench && GOWORK=off go build -o bench . && ./bench storm $(ARGS)

.PHONY: bench-messages
bench-messages: ## messages a second and each stage's latency on each store, beside the store alone; PostgreSQL if installed; 20 minutes
	@cd bench && GOWORK=off go build -o bench . && GATEHOUSE_SERVERS=true ./bench messages $(ARGS)

.PHONY: bench-million
bench-million: ## a million sessions on 53 nodes with their clients: 18 GB, 6 minutes; ARGS='-n 100000' for fewer
	@cd bench && GOWORK=off go build -o bench . && ./bench million $(ARGS)

.PHONY: bench-check
bench-check: ## vet and tests of bench/, and a little of each command
	cd bench && GOWORK=off go vet ./... && GOWORK=off go run $(STATICCHECK) ./... && GOWORK=off go test ./...
	cd bench && GOWORK=off go build -o bench . && ./bench fanout -quick -runs 1 -servers limit,gatehouse,gatehouse-poller,centrifuge >/dev/null
	cd bench && ./bench idle -quick -n 1000 -servers gatehouse,gatehouse-poller && ./bench heartbeats -quick -n 500 -runs 1 && ./bench storm -quick -n 500 -runs 1
	cd bench && ./bench million -quick -n 2000 && ./bench codec -quick -n 300 -runs 1 >/dev/null
	cd bench && ./bench messages -quick -n 3 -runs 1 >/dev/null

.PHONY: bench-stall
bench-stall: ## 1,000 sessions beside 10 stalled readers: p99 of the healthy in 10 pairs, kernel memory; 3 minutes
	GATEHOUSE_BENCH=stall go test -run '^TestBenchStall$$' -count=1 -v ./gateway

.PHONY: abuse
abuse: ## what clients do that they should not, over TCP, TLS over Listen and foreign TLS
	go test -race -run '^TestAbuse$$' -count=1 -v ./gateway

.PHONY: poller
poller: ## 9,000 clients in the middle of a frame beside a healthy one, and what quiet sessions cost; 20,000 open files
	GATEHOUSE_HALF_OPEN=9000 go test -count=1 -run '^(TestHalfOpenAttackers|TestCountedIdlePolled|TestCountedGoroutines)$$' -v ./gateway

.PHONY: shutdown
shutdown: ## a drain of 5,000 sessions, 100 of them stalled, without the race detector
	go test -run '^TestShutdownLarge$$' -count=1 -v ./gateway

.PHONY: sim
sim: ## SEEDS=10000 random schedules of drops, resumes and drains, judged by an oracle; SEED=7 replays one
	cd gateway/gatewaytest && SEEDS=$(SEEDS) go test -count=1 -timeout 2h -run '^TestSchedules$$'

.PHONY: mutants
mutants: ## break the gateway on purpose, a rule at a time: the schedules must notice each within 1,000 seeds, those of C2 within 5,000
	cd gateway/gatewaytest && MUTANTS=$(MUTANTS) go test -count=1 -timeout 1h -run '^TestMutants$$'

.PHONY: cross
cross: ## vet the workspace for macOS and Windows
	GOOS=darwin go vet work
	GOOS=windows go vet work

.PHONY: tidy-check
tidy-check: ## go.mod and go.sum of every module are tidy, and the workspace is in step
	.ci/tidy
