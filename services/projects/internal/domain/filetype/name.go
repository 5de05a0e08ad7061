package filetype

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is how many characters a name has at most.
const maxName = 200

// CleanName makes a name of what a client sent that may be shown and saved
// anywhere: the last segment of a path, composed (NFC), without control
// characters, without characters that cannot be seen or that change the
// direction of text (so that "gpj.exe" cannot show as "exe.jpg"), without those
// that some file system forbids. Empty where nothing is left.
func CleanName(raw string) string {
	raw = strings.ToValidUTF8(raw, "")
	raw = raw[strings.LastIndexAny(raw, `/\`)+1:]
	var b strings.Builder
	space := false
	for _, c := range norm.NFC.String(raw) {
		switch {
		case unicode.IsSpace(c):
			space = true
			continue
		case !unicode.IsGraphic(c), unicode.In(c, unicode.Cf, unicode.Co), c == unicode.ReplacementChar:
			continue
		case strings.ContainsRune(`<>:"|?*`, c):
			c = '_'
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(c)
	}
	name := strings.TrimRight(strings.TrimLeft(b.String(), " "), " .")
	if reserved[strings.ToLower(before(name, '.'))] {
		name = "_" + name
	}
	return shorten(name)
}

// reserved are the names that Windows gives to devices.
var reserved = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true, "com1": true, "com2": true, "com3": true, "com4": true, "com5": true,
	"com6": true, "com7": true, "com8": true, "com9": true, "lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true,
	"lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}

func before(name string, mark byte) string {
	head, _, _ := strings.Cut(name, string(mark))
	return head
}

// shorten keeps a name's extension.
func shorten(name string) string {
	if utf8.RuneCountInString(name) <= maxName {
		return name
	}
	extension := ""
	if at := strings.LastIndexByte(name, '.'); at > 0 && len(name)-at <= 16 {
		extension = name[at:]
	}
	kept := []rune(strings.TrimSuffix(name, extension))
	return strings.TrimRight(string(kept[:maxName-utf8.RuneCountInString(extension)]), " .") + extension
}

// Agree completes a clean name and a type found by Detect: a text called .csv is
// a table, and a name without an extension gets one. It returns false where the
// name's extension stands for something else, and the extension.
func Agree(name string, t Type) (fullName string, agreed Type, extension string, ok bool) {
	at := strings.LastIndexByte(name, '.')
	if at > 0 {
		extension = strings.ToLower(name[at+1:])
	}
	if name == "" {
		name = "file"
	}
	if extension == "" || strings.ContainsRune(extension, ' ') { // "dott. Rossi" has none
		return name + "." + t.Extensions[0], t, "", true
	}
	says, known := byExtension(extension)
	if t.Media == Text.Media && says.Media == CSV.Media {
		t = CSV
	}
	return name, t, extension, known && says.Media == t.Media
}
