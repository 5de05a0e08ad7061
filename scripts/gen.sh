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
if [ "$(cat "$stamp" 2>/dev/null)" != "$gnostic $protovalidate httpbody" ]; then
  g=$(module_dir "$gnostic")/cmd/protoc-gen-openapi/examples
  v=$(module_dir "$protovalidate")/proto/protovalidate
  rm -rf "$third"
  mkdir -p "$third/google/api" "$third/buf/validate"
  cp "$g"/google/api/*.proto "$g"/../../../third_party/google/api/httpbody.proto "$third/google/api/"
  cp "$v"/buf/validate/*.proto "$third/buf/validate/"
  chmod -R u+w "$third"
  echo "$gnostic $protovalidate httpbody" >"$stamp"
fi

export PATH="$bin:$PATH"
cd "$root/proto"
paths=()
for p in "$@"; do paths+=(--path "$p"); done
if [ $# -eq 0 ]; then rm -rf gen/go; fi
buf generate "${paths[@]}"

# One OpenAPI document for the whole suite, from a run over all protos.
if [ $# -eq 0 ]; then
  raw=$(mktemp -d)
  trap 'rm -rf "$raw"' EXIT
  buf generate --template "{\"version\":\"v2\",\"inputs\":[{\"directory\":\".\",\"paths\":[\"trama\"]}],\"plugins\":[{\"local\":\"protoc-gen-openapiv3\",\"out\":\"$raw\",\"strategy\":\"all\"}]}"
  buf build . --path trama -o "$raw/image.json"
  mkdir -p gen/openapi
  openapi-finish "$raw" "$raw/image.json" >"$raw/openapi.json"
  cp "$raw/openapi.json" gen/openapi/openapi.json # whole, or the old one stays
fi
