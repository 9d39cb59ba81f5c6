package plugin

// offers is what a manifest declares beside pages, tables and collections, checked: static files, topics, operations.
type offers struct {
	assets map[string]*heldAsset // by path
	topics map[string]*Topic
}

func newOffers(m *Manifest) (o offers, err error) {
	if o.assets, err = checkAssets(m); err != nil {
		return o, err
	}
	o.topics, err = checkTopics(m)
	return o, err
}
