#!/usr/bin/env bash
# Regenerates proto/gen from proto/trama. With arguments, only the named
# folders (relative to proto/, for example trama/projects) are generated:
# handy while writing one service; `make gen` always does everything.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bin="$root/.cache/bin"
third="$root/proto/third_party"

# The imports come from Go modules, pinned here, and are never committed.
gnostic=github.com/google/gnostic@v0.7.1
protovalidate=github.com/bufbuild/protovalidate@v1.2.2

module_dir() { GOWORK=off go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p'; }

stamp="$third/.stamp"
if [ "$(cat "$stamp" 2>/dev/null)" != "$gnostic $protovalidate" ]; then
  g=$(module_dir "$gnostic")/cmd/protoc-gen-openapi/examples
  v=$(module_dir "$protovalidate")/proto/protovalidate
  rm -rf "$third"
  mkdir -p "$third/google/api" "$third/buf/validate"
  cp "$g"/google/api/*.proto "$third/google/api/"
  cp "$v"/buf/validate/*.proto "$third/buf/validate/"
  chmod -R u+w "$third"
  echo "$gnostic $protovalidate" >"$stamp"
fi

export PATH="$bin:$PATH"
cd "$root/proto"
paths=()
for p in "$@"; do paths+=(--path "$p"); done
if [ $# -eq 0 ]; then rm -rf gen/go; fi
buf generate "${paths[@]}"
