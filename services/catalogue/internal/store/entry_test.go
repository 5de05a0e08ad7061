package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/catalogue/internal/store"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// What is read is what was written, whatever of an entry is there and whatever
// its texts hold.
func TestEntriesAreReadAsWritten(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		db := open(t, "catalogue", os.DirFS("../../migrations"))
		rnd := rand.New(rand.NewPCG(11, 11))
		for _, kind := range domain.Kinds() {
			for i := range 60 {
				want := aNeed(i)
				want.Name = fmt.Sprintf("%s/0198c0de-0000-7000-8000-%012d", kind.Collection(), i)
				want.Card, want.Body = domain.Card{}, domain.NewBody(kind)
				fill(reflect.ValueOf(&want.Card).Elem(), rnd)
				fill(reflect.ValueOf(want.Body).Elem(), rnd)
				want.Card.Visibility = domain.VisibleToPublic
				requireReadAsWritten(t, db, want)
			}
		}
	})
}

func requireReadAsWritten(t *testing.T, db *sqldb.DB, want *domain.Entry) {
	t.Helper()
	var got *domain.Entry
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if err = store.InsertEntry(tx, want); err != nil {
			return err
		}
		got, err = store.Entry(ctx, tx, want.Name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v %+v\nwant %+v %+v", got, got.Body, want, want.Body)
	}
}

var texts = []string{"perché", `"\/`, "a\nb\tc", "<b>&amp;</b>", "\u2028\u2029", "𝒯rama", "\x01\x7f", "0", "null"}

// fill sets about half of what v holds at random.
func fill(v reflect.Value, rnd *rand.Rand) {
	if rnd.IntN(2) == 0 {
		return
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.UnixMicro(rnd.Int64N(4e15)).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), rnd)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), rnd)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+rnd.IntN(3), 3))
		for i := range v.Len() {
			fill(v.Index(i), rnd)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(texts[rnd.IntN(len(texts))]), reflect.ValueOf(texts[rnd.IntN(len(texts))]))
	case reflect.String:
		v.SetString(texts[rnd.IntN(len(texts))])
	case reflect.Int64:
		v.SetInt(rnd.Int64() - rnd.Int64())
	case reflect.Bool:
		v.SetBool(true)
	default:
		panic("a field of a kind that this test does not fill: " + v.Type().String())
	}
}
