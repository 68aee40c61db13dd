package servers

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
