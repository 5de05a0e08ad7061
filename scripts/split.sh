#!/usr/bin/env bash
# Runs the suite as separate processes without containers: a private
# PostgreSQL, a NATS server, and one process for each target, each started
# again when it dies. Everything is kept in one folder and ends with this
# script (Ctrl-C).
#
#   scripts/split.sh [DIR] [PORT]
#
# DIR   where everything is kept (default: data/split)
# PORT  first of 14 ports on 127.0.0.1 (default: 9100). The gateway answers on
#       PORT, NATS on PORT+1; the services' gRPC follows from PORT+2, and what
#       each process tells of its health and metrics from PORT+8.
#
# In DIR: run/<target>.pid, log/<target>.log; run/ready exists once the gateway
# and every service are ready.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-$root/data/split}"
dir=$(cd "${1:-$root/data/split}" && pwd)
port=${2:-9100}
bin="$root/.cache/bin"
services=(catalogue matching projects training impact)

command -v postgres >/dev/null || PATH="$PATH:$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)"
command -v postgres >/dev/null || { echo "PostgreSQL is not installed" >&2; exit 1; }
mkdir -p "$dir"/{run,log,nats,pg} "$bin"
rm -f "$dir"/run/*

(cd "$root" && CGO_ENABLED=0 go build -trimpath -o "$bin/trama" ./gateway/cmd/trama)
(cd "$root/gateway" && CGO_ENABLED=0 go build -trimpath -o "$bin/nats-server" github.com/nats-io/nats-server/v2)

# PostgreSQL refuses to run as root: then it runs as its own user. The socket
# stands in a short path of its own, as its length is limited.
socket=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then
  chown postgres "$dir/pg" "$socket"
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  # The server's user must be able to reach the folder.
  parent=$dir
  while [ "$parent" != / ]; do
    setpriv --reuid=postgres --regid=postgres --clear-groups test -x "$parent" || chmod o+x "$parent"
    parent=$(dirname "$parent")
  done
fi
if [ ! -e "$dir/pg/PG_VERSION" ]; then
  (cd / && "${as[@]}" initdb -D "$dir/pg" -U trama -A trust -E UTF8 --locale=C >"$dir/log/initdb.log")
fi

pids=()
stop() {
  trap - EXIT INT TERM
  touch "$dir/run/stopping"
  local pid
  # The targets first, then NATS, PostgreSQL last.
  for name in gateway "${services[@]}" nats postgres; do
    pid=$(cat "$dir/run/$name.pid" 2>/dev/null) || continue
    if [ "$name" = postgres ]; then kill -INT "$pid" 2>/dev/null || true; else kill "$pid" 2>/dev/null || true; fi
    tail --pid="$pid" -f /dev/null 2>/dev/null & wait $! || true
  done
  kill "${pids[@]}" 2>/dev/null || true
  wait || true
  rm -rf "$socket"
}
trap stop EXIT
trap 'exit 0' INT TERM

# supervise NAME COMMAND…: runs it, and again whenever it dies.
supervise() {
  local name=$1
  shift
  (
    trap - EXIT INT TERM
    while [ ! -e "$dir/run/stopping" ]; do
      (cd / && exec "$@") >>"$dir/log/$name.log" 2>&1 &
      echo $! >"$dir/run/$name.pid"
      wait $! || true
      sleep 0.2
    done
  ) &
  pids+=($!)
}

supervise postgres "${as[@]}" postgres -D "$dir/pg" -k "$socket" -c listen_addresses= -c max_connections=200
supervise nats "$bin/nats-server" -a 127.0.0.1 -p $((port + 1)) -c "$root/deploy/nats/nats.conf" -sd "$dir/nats"
until pg_isready -q -h "$socket" -U trama -d postgres; do sleep 0.1; done
psql -qtA -h "$socket" -U trama -d postgres -c "SELECT 1 FROM pg_database WHERE datname = 'trama'" | grep -q 1 ||
  createdb -h "$socket" -U trama trama

peers= n=0
for s in "${services[@]}"; do
  peers+="${peers:+,}$s=127.0.0.1:$((port + 2 + n))"
  n=$((n + 1))
done
export TRAMA_DATABASE="postgres://trama@/trama?host=$socket" TRAMA_NATS="nats://127.0.0.1:$((port + 1))" \
  TRAMA_PEERS="$peers" TRAMA_AUTH_KEY_FILE="$dir/issuer.pem" TRAMA_FILES_URL="file:$dir/files"
n=0
for s in "${services[@]}"; do
  supervise "$s" env TRAMA_DATA="$dir/$s" "$bin/trama" serve "$s" \
    --grpc "127.0.0.1:$((port + 2 + n))" --http "127.0.0.1:$((port + 8 + n))"
  n=$((n + 1))
done
supervise gateway env TRAMA_DATA="$dir/gateway" "$bin/trama" serve gateway --http "127.0.0.1:$port"

for p in "$port" $(seq $((port + 8)) $((port + 12))); do
  until curl -sf -o /dev/null "http://127.0.0.1:$p/readyz"; do sleep 0.1; done
done
touch "$dir/run/ready"
cat <<TXT
The suite runs as separate processes.
  REST      http://127.0.0.1:$port
  gRPC      $peers
  NATS      nats://127.0.0.1:$((port + 1))
  storage   PostgreSQL in $dir/pg
  tokens    TRAMA_AUTH_KEY_FILE=$dir/issuer.pem $bin/trama token --as network-operator
TXT
wait
