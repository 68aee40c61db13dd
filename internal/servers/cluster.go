package servers

import "syscall"

// Cluster is servers that know each other. It is their set at the start: who leads may change when one is killed.
type Cluster struct {
	Nodes []*Server
}

// Addrs is where the nodes serve, of those that are down too.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.Nodes))
	for i, node := range c.Nodes {
		addrs[i] = node.Addr()
	}
	return addrs
}

// Kill kills all nodes that run at the same time.
func (c *Cluster) Kill() {
	for _, node := range c.Nodes {
		if node.process != nil {
			_ = node.process.signal(syscall.SIGKILL) // who is gone already is not met again
		}
	}
	for _, node := range c.Nodes {
		node.Kill()
	}
}

// Start starts the nodes that are down side by side, as those do that look for each other, and returns when all serve.
func (c *Cluster) Start() {
	for _, node := range c.Nodes {
		if node.process == nil {
			node.launch()
		}
	}
	for _, node := range c.Nodes {
		node.await()
	}
}
