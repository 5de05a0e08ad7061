package words_test

import (
	"slices"
	"testing"

	"github.com/trama-suite/trama/services/projects/internal/domain/words"
)

func TestWordsOfOneKindHaveOneStem(t *testing.T) {
	for _, x := range [][]string{
		{"rendicontazione", "rendicontazioni", "Rendicontazione,"},
		{"attività", "attivita", "ATTIVITÀ"},
		{"l'ente", "ente", "dell'ente"},
		{"ritardo", "ritardi"},
		{"2026"},
	} {
		want := words.Stems(x[0])
		if len(want) != 1 {
			t.Errorf("%s has the stems %v", x[0], want)
		}
		for _, w := range x {
			if got := words.Stems(w); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", w, got, want)
			}
		}
	}
	if got := words.Stems("Che cosa è di chi? L'una e l'altra, per noi."); len(got) > 2 {
		t.Errorf("words that say nothing: %v", got)
	}
	if got := words.Stems("日本語 ü ß !!! \x00"); len(got) > 3 {
		t.Errorf("%q", got)
	}
}

func TestScoresFollowTheirReasons(t *testing.T) {
	n, total := int64(100), int64(10_000)
	rare, common := words.Rarity(n, 1), words.Rarity(n, 90)
	if rare <= common || common <= 0 {
		t.Errorf("rare %d, common %d", rare, common)
	}
	once, often := words.Score(rare, 1, 100, n, total), words.Score(rare, 5, 100, n, total)
	if often <= once || often >= 5*once {
		t.Errorf("once %d, five times %d", once, often)
	}
	if long := words.Score(rare, 1, 1000, n, total); long >= once {
		t.Errorf("in a long text %d, in one of the mean length %d", long, once)
	}
}
