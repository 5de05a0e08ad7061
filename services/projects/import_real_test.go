package projects_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"google.golang.org/protobuf/encoding/protojson"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// shippedMapping reads the mapping of one file out of the one that is shipped.
func shippedMapping(t *testing.T, file string) *projectsv1.ProjectImportMapping {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "deploy", "import", "ricostruzione-it-2026.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := yaml.Parser().Unmarshal(content)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all["tables"].([]any) {
		if table := x.(map[string]any); table["file"] == file {
			text, err := json.Marshal(table["mapping"])
			if err != nil {
				t.Fatal(err)
			}
			out := &projectsv1.ProjectImportMapping{}
			if err := protojson.Unmarshal(text, out); err != nil {
				t.Fatal(err)
			}
			out.FallbackOrganisation = leader
			return out
		}
	}
	t.Fatalf("no mapping for %s", file)
	return nil
}

// columnSum sums a column up as it is written, rounded to cents half up at the
// end of each cell: the plain reference for the report.
func columnSum(t *testing.T, content []byte, column string) (cents int64, rows int) {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\ufeff")))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := -1
	for i, h := range all[0] {
		if h == column {
			at = i
		}
	}
	total := new(big.Rat)
	for _, row := range all[1:] {
		if row[at] == "" {
			continue
		}
		x, ok := new(big.Rat).SetString(row[at])
		if !ok {
			t.Fatalf("%q", row[at])
		}
		total.Add(total, x)
	}
	total.Mul(total, big.NewRat(100, 1))
	total.Add(total, big.NewRat(1, 2))
	return new(big.Int).Div(total.Num(), total.Denom()).Int64(), len(all) - 1
}

// The 3,667 real projects of the reconstruction load with their payments: every
// row is told of, and sums are those of the files. It runs where the real data is.
func TestImportReconstruction(t *testing.T) {
	dir := os.Getenv("TRAMA_DATA_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	files := map[string][]byte{}
	for _, name := range []string{"pubblica.csv", "opencup.csv", "pagamenti.csv", "enti.csv"} {
		content, err := os.ReadFile(filepath.Join(dir, "ricostruzione-it-2026", name))
		if err != nil {
			t.Logf("not run: the real data is not there: %v", err)
			return
		}
		files[name] = content
	}
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		if strings.HasSuffix(t.Name(), "postgres") {
			return // the same import with less data runs there in TestImportsTellOfEveryRow
		}
		s := start(t, open)
		imports := projectsv1.NewProjectImportServiceClient(s.Conn)
		operator := s.As(operator, "")
		bodies, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(files["enti.csv"], []byte("\ufeff")))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for i, body := range bodies[1:] {
			s.TaxCode(body[0], organisation(100+i))
		}
		load := func(file string) *projectsv1.ImportProjectsResponse {
			begin := time.Now()
			resp := must[*projectsv1.ImportProjectsResponse](t)(imports.ImportProjects(operator, &projectsv1.ImportProjectsRequest{Table: files[file], Mapping: shippedMapping(t, file)}))
			t.Logf("%s: %d rows in %.2f s: %d created, %d unchanged, %d refused, %d odd; %s of %s EUR taken", file, resp.GetTotal(), time.Since(begin).Seconds(),
				resp.GetCreated(), resp.GetUnchanged(), resp.GetRefused(), resp.GetOdd(), cents(resp.GetAmountTaken().GetMinorUnits()), cents(resp.GetAmount().GetMinorUnits()))
			reasons := map[string]int{}
			for _, l := range resp.GetLines() {
				for _, f := range l.GetFindings() {
					reasons[l.GetOutcome().String()[len("PROJECT_IMPORT_OUTCOME_"):]+" "+f.GetReason().String()[len("PROJECT_IMPORT_REASON_"):]]++
				}
			}
			t.Logf("%s: findings %v", file, reasons)
			return resp
		}
		begin := time.Now()
		projects := load("pubblica.csv")
		load("opencup.csv")
		payments := load("pagamenti.csv")
		t.Logf("all of it in %.2f s; phases %v", time.Since(begin).Seconds(), projects.GetPhases())

		sum, rows := columnSum(t, files["pubblica.csv"], "importo_programmato_esclusi_oc_126")
		if projects.GetAmount().GetMinorUnits() != sum || projects.GetAmountTaken().GetMinorUnits() != sum || int(projects.GetCreated()) != rows {
			t.Errorf("%d projects of %d with %s, the file has %s", projects.GetCreated(), rows, cents(projects.GetAmountTaken().GetMinorUnits()), cents(sum))
		}
		paid, rows := columnSum(t, files["pagamenti.csv"], "importo_pagato")
		var listed int64
		for _, l := range payments.GetLines() {
			if l.GetOutcome() == projectsv1.ProjectImportOutcome_PROJECT_IMPORT_OUTCOME_REFUSED {
				listed += l.GetAmount().GetMinorUnits()
				if len(l.GetFindings()) == 0 || l.GetAmount() == nil {
					t.Errorf("line %d is refused without a reason or amount", l.GetLine())
				}
			}
		}
		if payments.GetAmount().GetMinorUnits() != paid || payments.GetAmountTaken().GetMinorUnits()+listed != paid || int(payments.GetTotal()) != rows {
			t.Errorf("%s taken and %s listed of %s paid", cents(payments.GetAmountTaken().GetMinorUnits()), cents(listed), cents(paid))
		}
		portfolio := must[*projectsv1.Portfolio](t)(s.QueryPortfolio(operator, &projectsv1.QueryPortfolioRequest{}))
		for _, total := range portfolio.GetTotal().GetTotals() {
			if total.GetPlanned().GetMinorUnits() != sum || total.GetSpent().GetMinorUnits() != payments.GetAmountTaken().GetMinorUnits() {
				t.Errorf("the portfolio has %v", total)
			}
		}
		before := s.written(t)
		for _, file := range []string{"pubblica.csv", "opencup.csv", "pagamenti.csv"} {
			again := load(file)
			if again.GetCreated() != 0 || again.GetUpdated() != 0 {
				t.Errorf("%s again: %d created, %d updated", file, again.GetCreated(), again.GetUpdated())
			}
		}
		if after := s.written(t); after != before {
			t.Errorf("%d events written, then %d", before, after)
		}
	})
}

func cents(minor int64) string {
	return new(big.Rat).SetFrac64(minor, 100).FloatString(2)
}

// written counts the events that were ever written, but those of alerts, which
// the clock opens too.
func (s *suite) written(t *testing.T) int64 {
	t.Helper()
	var n int64
	if err := s.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM outbox WHERE type NOT IN
			('trama.projects.v1.AlertOpened', 'trama.projects.v1.AlertClosed', 'trama.projects.v1.AlertChanged')`).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}
