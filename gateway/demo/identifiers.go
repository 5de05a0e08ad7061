package demo

import "fmt"

// taxCode returns the n-th sample codice fiscale of a body: eleven digits with
// a valid check digit. The seven digits of the registration are low and the
// office is 999, which no office has, so that no real body bears it.
func taxCode(n int) string {
	digits := fmt.Sprintf("%07d999", n)
	return digits + string(rune('0'+checkDigit(digits)))
}

// checkDigit is the check digit of a codice fiscale of eleven digits and of a
// partita IVA (decreto del Ministero delle Finanze 23/12/1976): the digits in
// even places are doubled, those of two digits are summed, and the check digit
// fills the sum up to a multiple of ten.
func checkDigit(ten string) int {
	sum := 0
	for i, c := range ten {
		d := int(c - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return (10 - sum%10) % 10
}
