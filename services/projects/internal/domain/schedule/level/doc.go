// Package level moves tasks so that no resource is asked for more than it has:
// the resource-constrained project scheduling problem (livellamento delle
// risorse). [Solve] works on an abstract [Instance] in whole time units and says
// how far from the best its schedule may be; [Balance] works on a plan with its
// calendars. It does no I/O and reads no clock; the same seed gives the same
// result as long as the context lives.
package level
