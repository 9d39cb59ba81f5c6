#!/usr/bin/env bash
# Starts a private MariaDB on loopback in a temporary folder, runs the given command with
# MINIFLEET_TEST_MYSQL set to it, and ends it again. With the variable already set it only runs the command.
set -euo pipefail
if [ -n "${MINIFLEET_TEST_MYSQL:-}" ]; then exec "$@"; fi
server=$(command -v mariadbd || command -v mysqld || true)
if [ -z "$server" ]; then
  echo "MariaDB is missing: install mariadb-server, or set MINIFLEET_TEST_MYSQL=user:password@tcp(host:port)/" >&2
  exit 1
fi
dir=$(mktemp -d)
pid=
stop() {
  if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; fi
  rm -rf "$dir"
}
trap stop EXIT
as=()
if [ "$(id -u)" = 0 ]; then as=(--user=root); fi
mariadb-install-db --no-defaults "${as[@]}" --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db >"$dir/install.log" 2>&1 ||
  { cat "$dir/install.log" >&2; exit 1; }
port=$(( 20000 + RANDOM % 20000 ))
# Durability is what the product asks of its database in service, not of this throw-away one.
"$server" --no-defaults "${as[@]}" --datadir="$dir/data" --socket="$dir/s" --pid-file="$dir/pid" --port="$port" \
  --bind-address=127.0.0.1 --skip-name-resolve --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-file-per-table=0 --innodb-buffer-pool-size=256M \
  --max-connections=500 --character-set-server=utf8mb4 >"$dir/server.log" 2>&1 &
pid=$!
for _ in $(seq 150); do
  if mariadb --no-defaults --socket="$dir/s" -uroot -e 'SELECT 1' >/dev/null 2>&1; then ready=1; break; fi
  sleep 0.2
done
if [ -z "${ready:-}" ]; then cat "$dir/server.log" >&2; exit 1; fi
mariadb --no-defaults --socket="$dir/s" -uroot -e "CREATE USER minifleet@'127.0.0.1' IDENTIFIED BY 'minifleet'; GRANT ALL ON *.* TO minifleet@'127.0.0.1'"
export MINIFLEET_TEST_MYSQL="minifleet:minifleet@tcp(127.0.0.1:$port)/"
"$@"
