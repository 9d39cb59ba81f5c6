#!/usr/bin/env bash
# Makes sure that what the tests need is on this machine: installs it when root on Debian, names it otherwise.
set -euo pipefail
missing=() packages=()
need() { # need COMMAND... -- PACKAGE
  local found=
  for c in "${@:1:$#-2}"; do command -v "$c" >/dev/null 2>&1 && found=1; done
  if [ -z "$found" ]; then missing+=("$1"); packages+=("${!#}"); fi
}
need mariadbd mysqld -- mariadb-server
need chromium chromium-browser google-chrome -- chromium
need gcc cc -- gcc
fonts=$(fc-list :lang=zh 2>/dev/null | head -n 1 || true)
if [ -z "$fonts" ]; then missing+=("a Chinese font"); packages+=(fonts-noto-cjk fontconfig); fi
for c in go node npm; do command -v "$c" >/dev/null || { echo "missing: $c (Go 1.26 and Node 20 are needed)" >&2; exit 1; }; done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing: ${packages[*]}"
  log=$(mktemp)
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2; exit 1
  fi
  rm -f "$log"
  exit 0
fi
echo "missing: ${missing[*]}; install with: sudo apt-get install ${packages[*]}" >&2
exit 1
