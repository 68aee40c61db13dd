package batch

// arena holds the items of all keys in one slice, each linked to the next of its key: memory is what is pending,
// however it is spread over the keys, and in the steady state nothing is allocated. The zero value is empty.
type arena[T any] struct {
	nodes []node[T] // nodes[0] is unused, so that 0 means none
	free  int       // first unused node
	held  int       // nodes in chains
	peak  int       // most held since it was last empty
}

type node[T any] struct {
	item T
	size int
	next int
}

// chain is a list of nodes and its measure.
type chain struct {
	first, last int
	extent
}

func (a *arena[T]) push(c *chain, item T, size int) {
	i := a.free
	if i > 0 {
		a.free = a.nodes[i].next
		a.nodes[i] = node[T]{item: item, size: size}
	} else {
		if len(a.nodes) == 0 {
			a.nodes = append(a.nodes, node[T]{})
		}
		i = len(a.nodes)
		a.nodes = append(a.nodes, node[T]{item: item, size: size})
	}
	if c.count == 0 {
		c.first = i
	} else {
		a.nodes[c.last].next = i
	}
	c.last = i
	c.count++
	c.bytes += size
	a.held++
	a.peak = max(a.peak, a.held)
}

// measure gives the longest start of c that stays within both limits; one item always fits.
func (a *arena[T]) measure(c *chain, maxItems, maxBytes int) extent {
	if c.count <= maxItems && c.bytes <= maxBytes {
		return c.extent
	}
	if c.bytes == 0 {
		return extent{count: min(c.count, maxItems)}
	}
	var e extent
	for i := c.first; e.count < min(c.count, maxItems); i = a.nodes[i].next {
		size := a.nodes[i].size
		if e.count > 0 && size > maxBytes-e.bytes {
			break
		}
		e.count++
		e.bytes += size
	}
	return e
}

// copy appends the first n items of c to dst.
func (a *arena[T]) copy(dst []T, c *chain, n int) []T {
	for i := c.first; n > 0; n-- {
		dst = append(dst, a.nodes[i].item)
		i = a.nodes[i].next
	}
	return dst
}

// cut splits c behind the extent e and returns what follows it.
func (a *arena[T]) cut(c *chain, e extent) chain {
	rest := chain{first: c.first, last: c.last, extent: extent{c.count - e.count, c.bytes - e.bytes}}
	for range e.count {
		c.last, rest.first = rest.first, a.nodes[rest.first].next
	}
	c.extent = e
	return rest
}

// drop frees the start of c that e measures.
func (a *arena[T]) drop(c *chain, e extent) {
	for range e.count {
		i := c.first
		c.first = a.nodes[i].next
		a.nodes[i] = node[T]{next: a.free} // the item itself is let go, too
		a.free = i
	}
	c.count -= e.count
	c.bytes -= e.bytes
	a.held -= e.count
	if a.held == 0 {
		a.trim()
	}
}

// trim gives back the memory of a burst once a whole cycle, from empty to empty, used less than a quarter of it.
func (a *arena[T]) trim() {
	if len(a.nodes) > 64 && a.peak < len(a.nodes)/4 {
		*a = arena[T]{}
	}
	a.peak = 0
}
