package rules

// LoadInput reads facts written in YAML or JSON, for trying a rule set: the
// fields are those of Input in snake case, the guide lists them. Amounts are in
// minor units. The error is Problems.
func LoadInput(source []byte) (Input, error) {
	r := &reader{}
	var in Input
	r.read(source, &in)
	if len(r.problems) > 0 {
		return Input{}, r.problems
	}
	return in, nil
}
