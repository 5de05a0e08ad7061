#!/usr/bin/env bash
# The tests want the PostgreSQL server programs. Where there are none, and we
# may, Debian's package is installed; otherwise the tests say what is missing.
set -euo pipefail
if command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null; then
  exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing PostgreSQL for the tests"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # The package would start a server of its own; the tests start theirs.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
  apt-get install -y -qq --no-install-recommends postgresql >/dev/null
else
  echo "PostgreSQL is not installed: install your system's package (Debian: postgresql)" >&2
fi
