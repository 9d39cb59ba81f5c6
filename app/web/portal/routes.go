package portal

// Routes lists every pattern that the portal serves, for tests that walk all of them.
func (p *Portal) Routes() []string { return p.patterns }
