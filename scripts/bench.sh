#!/usr/bin/env bash
# Measures the suite on the machine at hand, in one run of about ten minutes,
# and prints what it got next to what was hoped for. On a shared machine only
# ratios within a run mean much: what is compared takes turns.
#
#   BENCH_EACH   how long each figure of the REST and gRPC table takes (2s)
#   BENCH_TIME   how long each other figure takes (1s)
#   BENCH_TURNS  how often compared figures take turns; the median counts (3)
#   BENCH_ONLY   run only the parts whose number is in this list ("1 3 8")
set -euo pipefail
cd "$(dirname "$0")/.."
each=${BENCH_EACH:-2s} time=${BENCH_TIME:-1s} turns=${BENCH_TURNS:-3} only=${BENCH_ONLY:-}
root=$PWD
bin=$root/.cache/bench
mkdir -p "$bin"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

part() { # part NUMBER TITLE: whether to run it
  [[ -z $only || " $only " == *" $1 "* ]] || return 1
  printf '\n## %s. %s\n\n' "$1" "$2"
}

# bench PACKAGE PATTERN TIME: the benchmarks' own lines. A test program is built
# once and run in its package's folder.
bench() {
  local program=$bin/${1//\//-}.test
  if [[ ! -e $work/${1//\//-} ]]; then
    go test -c -o "$program" "./$1" && touch "$work/${1//\//-}"
  fi
  (cd "$1" && "$program" -test.run '^$' -test.bench "$2" -test.benchtime "$3" -test.benchmem) >"$work/out" 2>&1 ||
    { cat "$work/out" >&2; return 1; }
  grep ^Benchmark "$work/out"
}

# figures UNIT…: from benchmarks' lines, names and the figures in these units.
figures() {
  awk -v units="$*" '
    function human(ns) {
      if (ns >= 1e9) return sprintf("%.2f s", ns / 1e9)
      if (ns >= 1e6) return sprintf("%.1f ms", ns / 1e6)
      if (ns >= 1e4) return sprintf("%.0f µs", ns / 1e3)
      return sprintf("%.0f ns", ns)
    }
    { name = $1; sub(/^Benchmark[^\/]*\//, "", name); sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name); gsub(/_/, " ", name)
      count = split(units, u, " ")
      line = ""
      for (i = 1; i <= count; i++) for (f = 3; f < NF; f += 2) if ($(f + 1) == u[i]) {
        text = $f " " u[i]
        if (u[i] == "ns/op") text = human($f)
        if (u[i] == "cpu-ns/op") text = human($f) " of processor"
        if (u[i] == "p50-ms" || u[i] == "p99-ms") text = substr(u[i], 1, 3) " " $f " ms"
        line = line "  " text
      }
      printf "  %-26s%s\n", name, line }'
}

# against FILE UNIT AIM LABEL NAME BASE: the medians of two benchmarks in a
# file, their ratio, and whether it is what was hoped for (AIM -: nothing was).
against() {
  awk -v unit="$2" -v aim="$3" -v label="$4" -v a="$5" -v b="$6" '
    function median(of, n,   i, j, t) {
      for (i = 2; i <= n; i++) for (j = i; j > 1 && of[j] < of[j - 1]; j--) { t = of[j]; of[j] = of[j - 1]; of[j - 1] = t }
      return of[int((n + 1) / 2)]
    }
    { name = $1; sub(/-[0-9]+$/, "", name)
      for (f = 3; f < NF; f += 2) if ($(f + 1) == unit) { if (name == a) x[++nx] = $f; if (name == b) y[++ny] = $f } }
    END { ratio = median(x, nx) / median(y, ny)
      printf "  %-26s %9.0f %s against %9.0f: %5.2f times", label, median(x, nx), unit, median(y, ny), ratio
      if (aim != "-") printf((ratio >= aim + 0) ? " (aim %s met)" : " (aim %s MISSED)", aim)
      print "" }' "$1"
}

echo "# Trama, measured $(date -u +%F) on $(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo), load before: $(cut -d' ' -f1-3 /proc/loadavg)"

if part 1 "Start, idle memory; REST and gRPC in one process, everything on, load generator on the same cores"; then
  go build -o "$bin/bench" ./gateway/bench
  "$bin/bench" -binary "$root/.cache/bin/trama" -each "$each" -profile "$work/cpu.prof"
fi

if part 2 "One handler, with authentication, authorisation, validation, metrics and 1 % of traces"; then
  bench services/platform/rpc BenchmarkChain "$time" | figures ns/op cpu-ns/op allocs/op
fi

if part 3 "A row and an outbox row, durably"; then
  for ((turn = 0; turn < turns; turn++)); do bench services/platform/sqldb 'Benchmark(SQLite|Postgres)Create' "$time" >>"$work/create"; done
  echo "SQLite, synchronous=FULL: group commit against one transaction per commit"
  for n in 1 16 64; do
    aim=-
    [ $n = 64 ] && aim=5
    against "$work/create" tx/s $aim "$n callers" "BenchmarkSQLiteCreate/group/callers=$n" "BenchmarkSQLiteCreate/single/callers=$n"
  done
  echo "PostgreSQL, fsync on: pipelined against statement by statement"
  for n in 1 16 64; do
    against "$work/create" tx/s - "$n callers" "BenchmarkPostgresCreate/pipelined/callers=$n" "BenchmarkPostgresCreate/plain/callers=$n"
  done
fi

if part 4 "Events to JetStream that syncs every write: the relay against single publishes"; then
  for ((turn = 0; turn < turns; turn++)); do
    bench services/platform/bus 'BenchmarkPublish/together=1$' "$time" >>"$work/relay"
    bench services/platform/outbox BenchmarkRelay "$time" >>"$work/relay"
  done
  for database in sqlite postgres; do
    against "$work/relay" events/s 3 "journal on $database" "BenchmarkRelay/$database" "BenchmarkPublish/together=1"
  done
fi

if part 5 "From the commit of an event to the consumer's committed effect: alone, and among 2,000 a second"; then
  bench services/platform/outbox BenchmarkLag "$time" | figures p50-ms p99-ms
fi

if part 6 "Enrolments in one contended edition, through the whole chain, durably"; then
  bench services/training BenchmarkContendedEnrolment "$time" | figures enrolments/s
fi

if part 7 "Search over 71,498 organisations with all facets"; then
  bench services/catalogue/internal/search BenchmarkBuild 1x | figures ns/op
  bench services/catalogue/internal/search BenchmarkSearch 200ms | figures ns/op
fi

if part 8 "JSON of a list of 50 needs"; then
  bench gateway/wirejson BenchmarkList "$time" | figures ns/op MB/s allocs/op
fi

if [[ -e $work/cpu.prof ]] && part 9 "What dominates: processor time of the REST requests of part 1, on the server's side"; then
  top() { go tool pprof -top -relative_percentages -focus=telemetry..middleware "$@" "$bin/bench" "$work/cpu.prof" 2>/dev/null | sed '1,/ flat%  *sum%/d'; }
  echo "By function, without what it calls (share of the server's side)"
  top -nodecount=12 | awk '{ printf "  %7s  %6s  %s %s\n", $1, $2, $6, $7 }'
  echo
  echo "By part, with what it calls (share of the server's side; the parts overlap)"
  top -cum -nodecount=100000 -nodefraction=0 | awk '
    function is(re, what) { if ($6 ~ re && !(what in seen)) { seen[what] = 1; printf "  %7s  %s\n", $5, what } }
    { is("rpc.\\(\\*localConn\\).Invoke$", "the call of the service, in process")
      is("sqldb.\\(\\*sqliteDB\\).read$", "a read transaction, rows made into entries")
      is("sqldb.\\(\\*sqliteDB\\).write$", "a write transaction, waiting not counted")
      is("lib.Xsqlite3_step$", "SQLite itself")
      is("go-json-experiment/json.Unmarshal$", "stored documents decoded")
      is("wirejson.Marshal$", "answers encoded")
      is("protovalidate.\\(\\*validator\\).Validate$", "validation")
      is("auth.\\(\\*Guard\\).Admit$", "authentication and authorisation")
      is("float64Inst\\).Record$", "metrics of HTTP and RPC")
      is("runtime.mallocgc$", "allocation, with its share of collecting")
      is("http.\\(\\*response\\).Write$", "writing the answer") }'
fi

# profile PACKAGE PATTERN COUNT: what a benchmark spends its time on.
profile() {
  local program=$bin/${1//\//-}.test
  (cd "$1" && "$program" -test.run '^$' -test.bench "$2" -test.benchtime "$time" -test.cpuprofile "$work/one.prof") >/dev/null
  go tool pprof -top -nodecount="$3" "$program" "$work/one.prof" 2>/dev/null | sed '1,/ flat%  *sum%/d' |
    awk '{ printf "    %6s  %s %s\n", $2, $6, $7 }'
}

if part 10 "A plan of 10,000 tasks, with calendars and all kinds of links: aims 20 ms for all, 1 ms for one change"; then
  bench services/projects/internal/domain/schedule 'Benchmark(Compute|Change|Link)10000' "$time" | figures ns/op allocs/op B/op
  echo "  Compute10000, by function"
  profile services/projects/internal/domain/schedule BenchmarkCompute10000 8
fi

if part 11 "Levelling: the 110 Patterson instances against their proved optima, 120 jobs, 1,000 tasks with calendars"; then
  bench services/projects/internal/domain/schedule/level . 1x | figures ns/op %gap %gap-to-bound
  echo "  Patterson, by function"
  profile services/projects/internal/domain/schedule/level BenchmarkPatterson 6
fi

if part 12 "A claim of 5,000 lines through each rule set: aim 200 ms"; then
  bench services/projects/rules BenchmarkClaim "$time" | figures ns/op allocs/op
  echo "  by function"
  profile services/projects/rules BenchmarkClaim 8
fi

if part 13 "The portfolio, a project changed before each query: aim p99 50 ms at 100,000"; then
  bench services/projects BenchmarkPortfolio "$time" | figures p50-ms p99-ms
fi

if part 14 "An alert, from the commit that opens it to who listens; lessons searched among 20,000"; then
  bench services/projects 'BenchmarkAlertLatency|BenchmarkLessonSearch' "$time" | figures p50-ms p99-ms ns/op
fi
