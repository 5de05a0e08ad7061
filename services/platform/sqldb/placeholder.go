package sqldb

import "strings"

// translate turns the $n parameters of a query into SQLite's ?n, which SQLite
// numbers as PostgreSQL does; its own $name parameters are numbered by first
// appearance. Literals, quoted identifiers, comments and identifiers that
// contain a dollar sign stay as they are.
func translate(query string) string {
	if strings.IndexByte(query, '$') < 0 {
		return query
	}
	out := make([]byte, 0, len(query))
	for i := 0; i < len(query); {
		end := i + 1
		switch c := query[i]; {
		case c == '\'' || c == '"':
			end = quotedEnd(query, i)
		case strings.HasPrefix(query[i:], "--"):
			end = after(query, i+2, "\n")
		case strings.HasPrefix(query[i:], "/*"):
			end = after(query, i+2, "*/")
		case identifierStart(c):
			for end < len(query) && (identifierStart(query[end]) || digit(query[end]) || query[end] == '$') {
				end++
			}
		case c == '$' && end < len(query) && digit(query[end]):
			out = append(out, '?')
			i++
			for end < len(query) && digit(query[end]) {
				end++
			}
		}
		out = append(out, query[i:end]...)
		i = end
	}
	return string(out)
}

// quotedEnd returns where the literal that opens at start ends. A doubled quote
// inside reads as the end of one literal and the start of the next, which comes
// to the same.
func quotedEnd(query string, start int) int {
	return after(query, start+1, query[start:start+1])
}

// after returns the position behind the next mark, or the end.
func after(query string, from int, mark string) int {
	if at := strings.Index(query[from:], mark); at >= 0 {
		return from + at + len(mark)
	}
	return len(query)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func identifierStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}
