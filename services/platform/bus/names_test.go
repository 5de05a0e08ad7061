package bus

import (
	"testing"
	"time"
)

func TestSnakeCase(t *testing.T) {
	for camel, want := range map[string]string{
		"NeedPublished":            "need_published",
		"ServiceOfferingPublished": "service_offering_published",
		"B2BMeetingHeld":           "b2b_meeting_held",
		"HTTPCalled":               "http_called",
		"Need2Published":           "need2_published",
		"CallHTTP":                 "call_http",
		"X":                        "x",
		"":                         "",
	} {
		if got := snakeCase(camel); got != want {
			t.Errorf("snakeCase(%q) = %q, want %q", camel, got, want)
		}
	}
}

func TestDelay(t *testing.T) {
	c := Consumer{Retry: 200 * time.Millisecond}
	for deliveries, want := range map[uint64]time.Duration{
		1: 200 * time.Millisecond, 2: 400 * time.Millisecond, 5: 3200 * time.Millisecond, 9: 30 * time.Second, 1 << 40: 30 * time.Second,
	} {
		if got := c.delay(deliveries); got != want {
			t.Errorf("delay after %d deliveries is %s, want %s", deliveries, got, want)
		}
	}
}

func TestHeaderText(t *testing.T) {
	if got := headerText("two\r\nlines: è"); got != "two  lines: è" {
		t.Errorf("%q", got)
	}
	long := make([]rune, 1000)
	for i := range long {
		long[i] = 'è'
	}
	if got := []rune(headerText(string(long))); len(got) != 500 {
		t.Errorf("%d characters", len(got))
	}
}
