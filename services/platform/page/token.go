package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/trama-suite/trama/services/platform/errs"
)

// A token is base64url of the version, the binding and the last row's keys. It
// is no secret and not signed: it moves within a list that the caller may read
// anyway, as the scope is part of the query and not of the token.
const (
	tokenVersion = 1
	bindingSize  = 12
	maxToken     = 64 << 10
)

// bindingOf condenses what a token depends on.
func bindingOf(order []sortKey, filter string, bind []string) (out [bindingSize]byte) {
	var b []byte
	add := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	add(filter)
	b = binary.AppendUvarint(b, uint64(len(order)))
	for _, k := range order {
		add(k.column.Field)
		add(operator(k.desc))
	}
	for _, s := range bind {
		add(s)
	}
	sum := sha256.Sum256(b)
	copy(out[:], sum[:])
	return out
}

func encodeToken(binding [bindingSize]byte, order []sortKey, keys []any) string {
	b := append([]byte{tokenVersion}, binding[:]...)
	for i, k := range order {
		switch k.column.Kind {
		case String:
			s := *keys[i].(*string)
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		case Int, Time:
			b = binary.AppendVarint(b, *keys[i].(*int64))
		case Bool:
			if *keys[i].(*bool) {
				b = append(b, 1)
			} else {
				b = append(b, 0)
			}
		}
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func decodeToken(token string, binding [bindingSize]byte, order []sortKey) ([]any, error) {
	broken := errs.InvalidField(errs.InvalidPageToken, "page_token", "is not one that this service gave out")
	if len(token) > maxToken {
		return nil, broken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < 1+bindingSize || b[0] != tokenVersion {
		return nil, broken
	}
	if !bytes.Equal(b[1:1+bindingSize], binding[:]) {
		return nil, errs.InvalidField(errs.InvalidPageToken, "page_token", "belongs to another request: keep parent, filter and order_by while paging")
	}
	b = b[1+bindingSize:]
	keys := make([]any, len(order))
	for i, k := range order {
		var ok bool
		if keys[i], b, ok = decodeKey(k.column.Kind, b); !ok {
			return nil, broken
		}
	}
	if len(b) != 0 {
		return nil, broken
	}
	return keys, nil
}

func decodeKey(kind Kind, b []byte) (key any, rest []byte, ok bool) {
	switch kind {
	case String:
		n, width := binary.Uvarint(b)
		if width <= 0 || n > uint64(len(b)-width) {
			return nil, nil, false
		}
		s := string(b[width : width+int(n)])
		return s, b[width+int(n):], utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
	case Bool:
		if len(b) == 0 || b[0] > 1 {
			return nil, nil, false
		}
		return b[0] == 1, b[1:], true
	default:
		n, width := binary.Varint(b)
		if width <= 0 {
			return nil, nil, false
		}
		return n, b[width:], true
	}
}
