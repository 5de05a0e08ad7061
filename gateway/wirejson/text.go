package wirejson

import "unicode/utf8"

const hex = "0123456789abcdef"

// appendString appends s as a JSON string, escaping what JSON demands and
// nothing else. It reports whether s is UTF-8.
func appendString(b []byte, s string) (out []byte, valid bool) {
	b = append(b, '"')
	n := plain(s)
	if n == len(s) {
		return append(append(b, s...), '"'), true
	}
	start := 0
	for i := n; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		start = i + 1
	}
	return append(append(b, s[start:]...), '"'), utf8.ValidString(s[n:])
}

// plain returns how much of s, from its start, is ASCII that needs no escaping:
// all of it, for most texts. It looks at eight bytes at a time.
func plain(s string) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	zero := func(w uint64) uint64 { return (w - ones) & ^w } // high bit set where a byte is 0
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		control := (w - ones*0x20) & ^w
		if (w|control|zero(w^ones*'"')|zero(w^ones*'\\'))&highs != 0 {
			break
		}
	}
	for i < len(s) && s[i] >= 0x20 && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}
