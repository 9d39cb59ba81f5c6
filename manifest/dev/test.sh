#!/usr/bin/env bash
# Runs the tests. fast: without race detector, MariaDB, browser and whole demos. all: everything CI wants.
# soak: what takes long.
set -euo pipefail
cd "$(dirname "$0")/../.."
unformatted=$(git ls-files '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then echo "not gofmt-ed: $unformatted" >&2; exit 1; fi
go vet ./...
# The examples are modules of their own, which ./... does not reach.
examples() {
  for module in plugins/examples/*/go.mod; do
    (cd "$(dirname "$module")" && go vet ./... && go test "$@" ./...)
  done
}
case "${1:-all}" in
fast)
  go test -short ./...
  examples
  ;;
all)
  # The race detector needs cgo; the product itself is built without.
  # SQLite's own code, which is C made into Go, is not watched: it would make everything on it three times as slow.
  # CI says that nothing may be skipped for want of a tool.
  CI=1 CGO_ENABLED=1 MINIFLEET_TEST_BINARY="$PWD/bin/minifleet" go test -race '-gcflags=modernc.org/...=-race=false' -timeout 40m -p 2 ./...
  CGO_ENABLED=1 examples -race
  ;;
soak)
  for target in $(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do
    for f in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$target"/*_test.go | sed 's/^func //'); do
      go test -run '^$' -fuzz "^$f\$" -fuzztime 60s "$target"
    done
  done
  missed=()
  for bench in callbacks lists plugins simulator start; do
    echo "bench $bench"
    bin/minifleet bench "$bench" || { [ $? = 3 ] || exit 1; missed+=("$bench"); } # 3: measured, and a goal missed
  done
  if [ ${#missed[@]} -gt 0 ]; then echo "goals missed: ${missed[*]}" >&2; exit 1; fi
  ;;
esac
