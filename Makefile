# make demo   everything on this machine, with data to try
# make test   all tests, as CI runs them
# make check  the fast part, under two minutes
SHELL := /bin/bash
GO ?= go
export CGO_ENABLED ?= 0

.PHONY: demo test check soak build pages tools generate clean

demo: build
	@exec bin/minifleet demo

build: pages
	$(GO) build -o bin/minifleet .

# The pages' sources are in resource/web; what is built of them is embedded and never committed.
pages: resource/public/manifest.json

resource/public/manifest.json: resource/web/package-lock.json $(shell find resource/web/src -type f 2>/dev/null) $(wildcard resource/web/*.mjs resource/web/*.js resource/web/package.json)
	cd resource/web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build

tools:
	@manifest/dev/setup.sh

test: tools build
	@manifest/dev/mariadb.sh manifest/dev/test.sh all

check: pages
	@manifest/dev/test.sh fast

soak: tools build
	@manifest/dev/mariadb.sh manifest/dev/test.sh soak

clean:
	rm -rf bin .artifacts resource/web/node_modules
	find resource/public -mindepth 1 ! -name .placeholder -delete
