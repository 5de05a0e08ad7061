package demo

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/trama-suite/trama/gateway/bulk"
	"github.com/trama-suite/trama/gateway/rest"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
)

// Imported says what the import of the five-per-mille bodies did, and what it took.
type Imported struct {
	bulk.Report
	Took time.Duration
	// ClientMemory and ServerMemory are resident sizes in bytes, 0 where the
	// machine or the server does not tell. The server's is of the process that
	// answers at its address.
	ClientMemory, ServerMemory int64
}

// String is the report of the import in two lines.
func (i Imported) String() string {
	return fmt.Sprintf("IMPORT OF THE FIVE-PER-MILLE BODIES\n  %s\n  %s\n",
		fmt.Sprintf("%d lines in %d requests: %d accepted, %d corrected, %d unchanged, %d refused; %d organisations created, %d updated",
			i.Total, i.Parts, i.Accepted, i.Corrected, i.Unchanged, i.Refused, i.Created, i.Updated),
		fmt.Sprintf("%.1f s, %.0f lines a second; resident memory: client %s, server %s",
			i.Took.Seconds(), float64(i.Total)/i.Took.Seconds(), mebibytes(i.ClientMemory), mebibytes(i.ServerMemory)))
}

func mebibytes(n int64) string {
	if n == 0 {
		return "not told"
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// ImportBodies imports the CSV file in a zip archive of the Italian
// five-per-mille list (Agenzia delle Entrate, published by onData) through the
// REST API. Lines that were imported before are left as they are.
func ImportBodies(ctx context.Context, client *rest.Client, archive string) (_ Imported, err error) {
	box, err := zip.OpenReader(archive)
	if err != nil {
		return Imported{}, err
	}
	defer func() { err = errors.Join(err, box.Close()) }()
	for _, f := range box.File {
		if path.Ext(f.Name) != ".csv" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return Imported{}, err
		}
		start := time.Now()
		sum, err := bulk.Organisations(ctx, client, r, &cataloguev1.ImportOrganisationsRequest{
			Preset: cataloguev1.ImportPreset_IMPORT_PRESET_FIVE_PER_MILLE,
			Source: "Agenzia delle Entrate, 5 per mille 2022; onData", Licence: "CC-BY-4.0",
		}, nil)
		if err = errors.Join(err, r.Close()); err != nil {
			return Imported{}, err
		}
		return Imported{Report: sum, Took: time.Since(start), ClientMemory: ownMemory(), ServerMemory: serverMemory(ctx, client)}, nil
	}
	return Imported{}, fmt.Errorf("%s holds no CSV file", archive)
}

// ownMemory is this process's resident size, where the system has /proc.
func ownMemory() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// serverMemory reads the server's resident size from its metrics.
func serverMemory(ctx context.Context, client *rest.Client) int64 {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, client.Base+"/metrics", nil)
	if err != nil {
		return 0
	}
	web := client.HTTP
	if web == nil {
		web = http.DefaultClient
	}
	res, err := web.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	return metric(res.Body, "process_resident_memory_bytes")
}

// metric finds a gauge in the text format of Prometheus.
func metric(r io.Reader, name string) int64 {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		fields := strings.Fields(rest)
		value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err == nil {
			return int64(value)
		}
	}
	return 0
}
