package health

// Signs judges a node. There are none before the first sample.
func (n Node) Signs() []Sign {
	if len(n.Samples) == 0 {
		return nil
	}
	out := append(n.liveSigns(), n.pageSigns()...)
	out = append(out, n.databaseSigns()...)
	return append(out, n.workSigns()...)
}
