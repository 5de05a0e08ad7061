package mspdi

// Flatten returns a calendar with what it inherits from its bases written out:
// its own days win, its own exceptions come last. False where there is no such
// calendar.
func (p *Plan) Flatten(uid int64) (Calendar, bool) {
	for i := range p.Calendars {
		c := p.Calendars[i]
		if c.UID != uid {
			continue
		}
		base, inherits := p.Flatten(c.Base) // bases were checked not to go round
		if !inherits {
			return c, true
		}
		for day, own := range c.Week {
			if own == nil {
				c.Week[day] = base.Week[day]
			}
		}
		c.Weeks = append(append([]WorkWeek{}, base.Weeks...), c.Weeks...)
		c.Exceptions = append(append([]Exception{}, base.Exceptions...), c.Exceptions...)
		c.Base = NoCalendar
		return c, true
	}
	return Calendar{}, false
}
