package document

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTheSameDocumentInManyHands(t *testing.T) {
	base := Document{Issuer: "Rossi S.r.l.", IssuerID: "IT01234567897", Number: "FT-0012/2026", Date: "2026-02-02", Total: 122_000, Currency: "EUR"}
	same := func(change func(d *Document)) {
		t.Helper()
		d := base
		change(&d)
		if d.Key() != base.Key() {
			t.Errorf("%+v is %s, the same as %s", d, d.Key(), base.Key())
		}
	}
	for _, number := range []string{"ft 12 2026", "FT12/2026", "F.T. 00012-02026", "ＦＴ－１２／２０２６", "ft\u200b12\u00a0/2026", "FT ١٢/٢٠٢٦", "  FT_12_2026 "} {
		same(func(d *Document) { d.Number = number })
	}
	for _, id := range []string{"01234567897", "it 01234567897", "IT-012.345.678.97", "ＩＴ０１２３４５６７８９７"} {
		same(func(d *Document) { d.IssuerID, d.Issuer = id, "Altro nome" })
	}
	same(func(d *Document) { d.IssuerID, d.Issuer = "", "IT 01234567897" })
	named := Document{Issuer: "Società  Àgorà S.C.S.", Number: "1", Date: "2026-01-01", Total: 1, Currency: "EUR"}
	other := named
	other.Issuer = "SOCIETA AGORA scs"
	if named.Key() != other.Key() {
		t.Errorf("%s is %s", named.Key(), other.Key())
	}
}

func TestFalseFriends(t *testing.T) {
	base := Document{IssuerID: "01234567897", Number: "1/12", Date: "2026-02-02", Total: 100, Currency: "EUR"}
	for _, change := range []func(d *Document){
		func(d *Document) { d.IssuerID = "00743110157" },
		func(d *Document) { d.Number = "11/2" }, func(d *Document) { d.Number = "112" }, func(d *Document) { d.Number = "1/120" },
		func(d *Document) { d.Number = "A1/12" }, func(d *Document) { d.Date = "2025-02-02" },
		func(d *Document) { d.Total = 101 }, func(d *Document) { d.Currency = "SEK" },
	} {
		d := base
		change(&d)
		if d.Key() == base.Key() {
			t.Errorf("%+v is taken for %+v", d, base)
		}
	}
	d := base
	if d.Total = 101; d.Base() != base.Base() {
		t.Error("another total is another base")
	}
	for _, d := range []Document{{}, {Number: "1", Date: "2026-01-01"}, {Issuer: "x", Number: "--", Date: "2026-01-01"}, {Issuer: "...", Number: "1", Date: "2026-01-01"}} {
		if d.Key() != "" {
			t.Errorf("%+v has the key %s", d, d.Key())
		}
	}
}

func TestNormalForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		if once := Number(s); Number(once) != once {
			t.Fatalf("%q is %q is %q", s, once, Number(once))
		}
		if once := IssuerID(s); IssuerID(once) != once && !strings.HasPrefix(once, "IT") {
			t.Fatalf("%q is %q is %q", s, once, IssuerID(once))
		}
		_ = CheckIssuerID(s)
	})
}

func TestIssuerIDs(t *testing.T) {
	for _, good := range []string{"01234567897", "IT 00743110157", "RSSMRA85T10A562S", "rssmra85t10a562s", "DE123456789", "FR XX 999999999", "ATU12345678"} {
		if err := CheckIssuerID(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"01234567890", "IT01234567898", "RSSMRA85T10A562T", "123", "IT123", "ROSSI", "DE", "", "x", "1234567890123456"} {
		if CheckIssuerID(bad) == nil {
			t.Errorf("%s passes", bad)
		}
	}
}

func TestOneWrongDigitIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[0-9]{10}`).Draw(t, "digits")
		id := []byte(body + string(vatCheckDigit(body)))
		if err := CheckIssuerID(string(id)); err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, 10).Draw(t, "at")
		id[at] = '0' + (id[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if CheckIssuerID(string(id)) == nil {
			t.Fatalf("%s passes", id)
		}
	})
}
