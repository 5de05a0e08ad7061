package filetype

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// Limits on the archives that office documents are.
const (
	// maxParts is how many parts an archive may have.
	maxParts = 10_000
	// maxUnpacked is what all parts may come to, in bytes.
	maxUnpacked = 256 << 20
	// maxRatio is how many times its own size an archive may unpack to; of one
	// that stays under smallUnpacked it does not matter.
	maxRatio      = 200
	smallUnpacked = 8 << 20
)

// archive says which office document an archive is, after having unpacked all of
// it to nowhere: what it says of its sizes is not to be believed, and who opens
// it later should not be the first to find out.
func archive(r io.ReaderAt, size int64) (Type, error) {
	if err := countParts(r, size); err != nil {
		return Type{}, err
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return Type{}, refuse(ErrDamaged, "a ZIP archive", "the content begins as a ZIP archive and is none: %s", err)
	}
	t, err := kindOf(z)
	if err != nil {
		return Type{}, err
	}
	return t, unpack(z, size, t)
}

var (
	endRecord = []byte("PK\x05\x06")
	partEntry = []byte("PK\x01\x02")
)

// countParts bounds what reading the directory takes, before it is read: it is
// at the end, each of its entries begins with a mark.
func countParts(r io.ReaderAt, size int64) error {
	const longest = 22 + 1<<16
	tail := make([]byte, min(size, longest))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	broken := refuse(ErrDamaged, "a ZIP archive", "the content begins as a ZIP archive and has no directory at its end: it was broken off")
	at := bytes.LastIndex(tail, endRecord)
	if at < 0 || len(tail)-at < 22 {
		return broken
	}
	start := int64(binary.LittleEndian.Uint32(tail[at+16:]))
	stop := size - int64(len(tail)-at)
	if start > stop {
		return broken
	}
	// A mark may stand in a name or a comment too: an archive that has so many
	// of them is not one of an office program.
	found, buffer := 0, make([]byte, 32<<10)
	for kept := 0; start < stop; {
		n, err := r.ReadAt(buffer[kept:min(int64(len(buffer)), int64(kept)+stop-start)], start)
		if n == 0 && err != nil {
			return broken
		}
		start += int64(n)
		chunk := buffer[:kept+n]
		found += bytes.Count(chunk, partEntry)
		if found > maxParts {
			return refuse(ErrBomb, "a ZIP archive", "the archive has more than %d parts", maxParts)
		}
		kept = copy(buffer, chunk[max(0, len(chunk)-len(partEntry)+1):])
	}
	return nil
}

// openDocument are the media types that the part "mimetype", the first and not
// compressed, has in an OpenDocument package (ODF 1.2, part 3, 3.3).
var openDocument = map[string]Type{ODS.Media: ODS, ODT.Media: ODT}

// kindOf says which office document the parts make.
func kindOf(z *zip.Reader) (Type, error) {
	parts := map[string]bool{}
	for _, f := range z.File {
		if f.Flags&1 != 0 {
			return Type{}, refuse(ErrRefused, "an encrypted archive", "the archive is protected by a password, which is not taken")
		}
		name := strings.ToLower(f.Name)
		parts[name] = true
		if strings.HasSuffix(name, "vbaproject.bin") || strings.HasPrefix(name, "basic/script") {
			return Type{}, refuse(ErrRefused, "an office document with macros", "the document has macros, which are not taken")
		}
	}
	if first := z.File; len(first) > 0 && first[0].Name == "mimetype" && first[0].Method == zip.Store && first[0].UncompressedSize64 < 128 {
		mime, err := readAll(first[0], 128)
		if t, ok := openDocument[string(mime)]; ok && err == nil && parts["content.xml"] {
			return t, nil
		}
	}
	switch {
	case !parts["[content_types].xml"]:
	case parts["xl/workbook.xml"]:
		return XLSX, nil
	case parts["word/document.xml"]:
		return DOCX, nil
	}
	return Type{}, refuse(ErrRefused, "a ZIP archive", "the content is a ZIP archive and none of the office documents that are taken (xlsx, docx, ods, odt)")
}

func readAll(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(io.LimitReader(r, limit))
}

// unpack unpacks all parts to nowhere, within the limits.
func unpack(z *zip.Reader, size int64, t Type) error {
	limit := min(int64(maxUnpacked), max(smallUnpacked, size*maxRatio))
	bomb := func() error {
		return refuse(ErrBomb, t.Name, "the content is %s that unpacks to more than %d MiB", t.Name, limit>>20)
	}
	var declared uint64
	for _, f := range z.File {
		if declared += f.UncompressedSize64; f.UncompressedSize64 > uint64(limit) || declared > uint64(limit) {
			return bomb()
		}
	}
	left := limit
	for _, f := range z.File {
		n, err := length(f, left)
		if left -= n; left < 0 {
			return bomb()
		}
		if err != nil {
			return refuse(ErrDamaged, t.Name, "the content is %s whose part %q cannot be read: %s", t.Name, clip(f.Name), err)
		}
	}
	return nil
}

func length(f *zip.File, limit int64) (int64, error) {
	r, err := f.Open()
	if err != nil {
		return 0, err
	}
	defer func() { _ = r.Close() }()
	return io.Copy(io.Discard, io.LimitReader(r, limit+1))
}

func clip(name string) string {
	if len(name) > 80 {
		name = strings.ToValidUTF8(name[:80], "") + "…"
	}
	return name
}
