package tokenizer

// An expr is a part of a regular expression as it is written.
type expr interface {
	// link returns the expression as a node that goes on with then.
	link(c *linker, then node) node
}

// A linker counts what it makes, since a few repetitions within repetitions can ask for any number of nodes.
type linker struct{ nodes, loops int }

// maxNodes bounds the size of a regex.
const maxNodes = 20000

// full says whether there are too many nodes; what is linked from then on is thrown away.
func (c *linker) full() bool { return c.nodes > maxNodes }

type (
	chars    struct{ set *set }
	sequence []expr
	choice   []expr
	repeated struct {
		body     expr
		min, max int // max is negative if there is none
		mode     repetition
	}
	ahead struct {
		body    expr
		negated bool
	}
	cutOff   struct{ body expr } // (?>…)
	boundary byte                // the kind of an edge
)

func (x chars) link(c *linker, then node) node {
	c.nodes++
	return &one{x.set, then}
}

func (x sequence) link(c *linker, then node) node {
	for i := len(x) - 1; i >= 0; i-- {
		then = x[i].link(c, then)
	}
	return then
}

func (x choice) link(c *linker, then node) node {
	c.nodes++
	n := make(fork, len(x))
	for i, branch := range x {
		n[i] = branch.link(c, then)
	}
	return n
}

func (x ahead) link(c *linker, then node) node {
	c.nodes++
	return &look{x.body.link(c, accept{}), then, x.negated}
}

func (x cutOff) link(c *linker, then node) node {
	c.nodes++
	return &atomicGroup{x.body.link(c, accept{}), then}
}

func (x boundary) link(c *linker, then node) node {
	c.nodes++
	return &edge{byte(x), then}
}

func (x repeated) link(c *linker, then node) node {
	if body, ok := x.body.(chars); ok {
		c.nodes++
		return &many{body.set, x.min, x.most(), x.mode, then}
	}
	if x.mode == possessive {
		return cutOff{repeated{x.body, x.min, x.max, greedy}}.link(c, then)
	}
	if x.max < 0 {
		then = x.endless(c, then)
	} else {
		then = x.optional(c, then)
	}
	for i := 0; i < x.min && !c.full(); i++ {
		then = x.body.link(c, then)
	}
	return then
}

func (x repeated) most() int {
	if x.max < 0 {
		return int(^uint(0) >> 1)
	}
	return x.max
}

// endless links any number of rounds.
func (x repeated) endless(c *linker, then node) node {
	c.nodes += 2
	before := c.nodes
	n := &loop{slot: c.loops, lazy: x.mode == lazy, then: then}
	c.loops++
	n.body = x.body.link(c, n)
	n.size = c.nodes - before + 1
	return enter{n}
}

// optional links the rounds that may be left out, (b(b(b)?)?)?.
func (x repeated) optional(c *linker, then node) node {
	out := then
	for i := x.min; i < x.max && !c.full(); i++ {
		c.nodes++
		n := fork{x.body.link(c, out), then}
		if x.mode == lazy {
			n[0], n[1] = n[1], n[0]
		}
		out = n
	}
	return out
}
