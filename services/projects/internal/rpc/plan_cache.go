package rpc

import (
	"sync"

	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// maxCachedTasks bounds the tasks that all plans in memory have together: some
// hundred megabytes.
const maxCachedTasks = 60_000

// plans keeps the tasks of plans that were changed lately, with the engine that
// has computed them: to read and compile 10,000 tasks costs far more than to
// change one. A plan is kept under the token that its change has written to the
// database. Only a plan whose token is the one that a transaction reads, under
// the project's lock, is used: the token of a change that was rolled back is
// nowhere, and that of a plan that another process has changed is another.
type plans struct {
	mu    sync.Mutex
	kept  map[string]*domain.Plan // by project
	order []string                // of keeping, oldest first
	tasks int
}

// take removes and returns the plan of a project with a token; nil where it is
// not there. Whoever takes it may change it, and keeps it only if all goes well.
func (c *plans) take(project, token string) *domain.Plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.kept[project]
	if p == nil {
		return nil
	}
	c.drop(project)
	if p.Settings.Token != token {
		return nil
	}
	return p
}

// keep keeps a computed plan.
func (c *plans) keep(p *domain.Plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := p.Project.ID
	if c.kept[id] != nil {
		c.drop(id)
	}
	if c.kept == nil {
		c.kept = map[string]*domain.Plan{}
	}
	c.kept[id] = p
	c.order = append(c.order, id)
	c.tasks += weight(p)
	for c.tasks > maxCachedTasks {
		c.drop(c.order[0])
	}
}

// weight counts a plan as its tasks and a little for itself.
func weight(p *domain.Plan) int { return len(p.Tasks) + 20 }

func (c *plans) drop(project string) {
	c.tasks -= weight(c.kept[project])
	delete(c.kept, project)
	for i, id := range c.order {
		if id == project {
			c.order = append(c.order[:i], c.order[i+1:]...)
			return
		}
	}
}
