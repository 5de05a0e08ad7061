package domain

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain/filetype"
)

// File is a file of a project. Its content is kept elsewhere, under its SHA-256.
type File struct {
	ID      string `json:"-"`
	Project string `json:"-"`
	Stamp
	// Organisation is the partner whose file it is.
	Organisation string `json:"-"`
	SHA256       string `json:"-"`
	Size         int64  `json:"-"` // in bytes
	MediaType    string `json:"-"`
	// Shared files are read by every partner, others by Organisation and the lead.
	Shared      bool   `json:"-"`
	DisplayName string `json:"displayName"`
	UploadedBy  string `json:"uploadedBy"` // subject
}

// Name returns the resource name.
func (f *File) Name() string { return FileName(f.Project, f.ID) }

// FileName returns the resource name of a file of a project.
func FileName(project, id string) string { return ids.Name("projects", project, "files", id) }

// FileOwner says whose file an upload is. Named is what the upload says, own are
// the partners that the caller may upload for; anyPartner says that they may for
// all of them.
func FileOwner(p *Project, named string, own []string, anyPartner bool) (string, error) {
	if named != "" {
		if !p.HasPartner(named) {
			return "", errs.InvalidField(NotAPartner, "header.organisation", "%s is not a partner of the project", named)
		}
		for _, o := range own {
			if o == named {
				return named, nil
			}
		}
		if anyPartner {
			return named, nil
		}
		return "", errs.New(errs.PermissionDenied, LeadOnly, "only the lead partner uploads files for others").With("resource", p.Name())
	}
	for _, o := range own {
		if o == p.Lead {
			return o, nil
		}
	}
	switch len(own) {
	case 0:
		return p.Lead, nil
	case 1:
		return own[0], nil
	}
	return "", errs.InvalidField(FieldMissing, "header.organisation", "must be given: the caller is of several partners, %s", strings.Join(own, " and "))
}

// Describe fills in what a file is from its content, and its name.
func (f *File) Describe(content io.ReaderAt, name string) error {
	if f.Size == 0 {
		return errs.InvalidField(FileEmpty, "chunk", "the file is empty")
	}
	t, err := filetype.Detect(content, f.Size)
	if err != nil {
		return refusedFile(err)
	}
	clean := filetype.CleanName(name)
	full, t, extension, ok := filetype.Agree(clean, t)
	if !ok {
		return errs.InvalidField(FileNameMismatch, "header.display_name", "%q ends in .%s, but the content is %s, which ends in .%s",
			clean, extension, t.Name, strings.Join(t.Extensions, " or .")).With("extension", extension).With("content", t.Media)
	}
	f.DisplayName, f.MediaType = full, t.Media
	return nil
}

func refusedFile(err error) error {
	refusal, ok := errors.AsType[*filetype.Refusal](err)
	if !ok {
		return err
	}
	reason := FileTypeRefused
	switch {
	case errors.Is(err, filetype.ErrDamaged):
		reason = FileDamaged
	case errors.Is(err, filetype.ErrBomb):
		reason = FileBomb
	}
	out := errs.InvalidField(reason, "chunk", "%s", refusal.Text)
	if refusal.Looks != "" {
		out = out.With("content", refusal.Looks)
	}
	return out
}

// Stored gives a file that has been described its identity.
func (f *File) Stored(id string, now time.Time) {
	f.ID, f.Stamp = id, NewStamp(now)
}

// Deletable returns nil where a file may be deleted that the users refer to.
func (f *File) Deletable(p *Project, users []string) error {
	if err := p.Writable(); err != nil {
		return err
	}
	if len(users) > 0 {
		return errs.New(errs.FailedPrecondition, FileInUse, "%s is used by %s", f.Name(), strings.Join(users, ", ")).
			With("users", strings.Join(users, ","))
	}
	return nil
}
