package domain

import (
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// WorkOn returns how many working minutes a day has by the project's calendar.
func (p *Plan) WorkOn() (func(day civil.Date) int64, error) {
	axis, err := p.axis(&Task{})
	if err != nil {
		return nil, err
	}
	return func(day civil.Date) int64 {
		from := schedule.At(day, 0)
		return int64(axis.Between(from, from+24*60))
	}, nil
}
