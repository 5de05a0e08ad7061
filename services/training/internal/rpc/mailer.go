package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/store"
)

const (
	mailEvery = time.Second
	mailBatch = 100
	// mailFrom is nobody's address: the mailbox folder is for reading, not for sending.
	mailFrom = "no-reply@trama.invalid"
)

// letters are what notices say, in Italian, by kind: subject and text.
var letters = map[string][2]string{
	"CONFIRMED": {"Iscrizione confermata", "la tua iscrizione a «%s» è confermata."},
	"WAITING":   {"Sei in lista d'attesa", "sei in lista d'attesa per «%s»: ti scriveremo appena si libera un posto."},
	"OFFERED":   {"Un posto per te", "c'è un posto per te in «%s»: accettalo entro il %s (UTC)."},
	"ENDED":     {"Iscrizione annullata", "la tua iscrizione a «%s» non è più valida."},
}

// Mail writes notices as mail messages (RFC 5322) into a folder, until the
// context ends.
func (s *Server) Mail(ctx context.Context, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	tick := time.NewTicker(mailEvery)
	defer tick.Stop()
	for {
		if err := s.mailOnce(ctx, folder); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// letter is a notice ready to be written; empty where there is nobody to write to.
type letter struct {
	notice store.Notice
	text   []byte
}

// mailOnce writes pending notices. A notice is settled after its file is there, so
// that a crash in between writes the same file again and loses nothing.
func (s *Server) mailOnce(ctx context.Context, folder string) error {
	letters, err := read(ctx, s, s.pendingLetters)
	if err != nil || len(letters) == 0 {
		return err
	}
	for _, l := range letters {
		if l.text == nil {
			continue
		}
		file := filepath.Join(folder, strings.ReplaceAll(l.notice.Name, "/", "-")+".eml")
		if err := os.WriteFile(file, l.text, 0o600); err != nil {
			return err
		}
	}
	now := s.now()
	return s.DB.Write(ctx, func(_ context.Context, tx *sqldb.Tx) error {
		for _, l := range letters {
			s.store.SettleNotice(tx, l.notice.Name, l.text != nil, now)
		}
		return nil
	})
}

func (s *Server) pendingLetters(ctx context.Context, tx *sqldb.Tx) ([]letter, error) {
	notices, err := s.store.PendingNotices(ctx, tx, mailBatch)
	if err != nil {
		return nil, err
	}
	var out []letter
	for _, notice := range notices {
		person, err := s.store.Learner(ctx, tx, notice.Learner)
		if errs.KindOf(err) == errs.NotFound || err == nil && person.Mail == "" {
			out = append(out, letter{notice: notice})
			continue
		}
		if err != nil {
			return nil, err
		}
		n, err := s.store.Enrolment(ctx, tx, notice.Enrolment)
		if err != nil {
			return nil, err
		}
		e, err := s.store.Edition(ctx, tx, n.Edition, s.now())
		if err != nil {
			return nil, err
		}
		text, err := compose(notice, person, n, e)
		if err != nil {
			return nil, err
		}
		out = append(out, letter{notice, text})
	}
	return out, nil
}

// compose writes a notice as a mail message.
func compose(notice store.Notice, person *domain.Learner, n *domain.Enrolment, e *domain.Edition) ([]byte, error) {
	words := letters[notice.Kind]
	sentence := fmt.Sprintf(words[1], e.Title.Text)
	if notice.Kind == "OFFERED" {
		sentence = fmt.Sprintf(words[1], e.Title.Text, n.OfferExpires.Format("02/01/2006 15:04"))
	}
	lines := []string{"Ciao " + person.GivenName + ",", "", sentence}
	if e.StartDate != "" {
		lines = append(lines, "", "Inizio: "+e.StartDate)
	}
	if e.Place != "" {
		lines = append(lines, "Sede: "+e.Place)
	}
	if e.Link != "" && (n.State == domain.Enrolled || n.State == domain.Completed) {
		lines = append(lines, "Collegamento: "+e.Link)
	}
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"Date", notice.Created.Format(time.RFC1123Z)},
		{"From", (&mail.Address{Name: "Trama", Address: mailFrom}).String()},
		{"To", (&mail.Address{Name: person.GivenName + " " + person.FamilyName, Address: person.Mail}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", words[0]+": "+e.Title.Text)},
		{"Message-ID", "<" + strings.ReplaceAll(notice.Name, "/", ".") + "@trama.invalid>"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	if _, err := body.Write([]byte(strings.Join(lines, "\r\n") + "\r\n")); err != nil {
		return nil, err
	}
	return b.Bytes(), body.Close()
}
