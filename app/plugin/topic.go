package plugin

type topics struct{}

func newTopics() *topics { return &topics{} }
