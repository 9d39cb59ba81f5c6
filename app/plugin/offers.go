package plugin

// offers is what a manifest declares beside pages, tables and collections, checked: static files, topics, operations.
type offers struct {
	assets     map[string]*heldAsset // by path
	topics     map[string]*Topic
	operations map[string]*operation
}

func newOffers(m *Manifest) (o offers, err error) {
	if o.assets, err = checkAssets(m); err != nil {
		return o, err
	}
	if o.topics, err = checkTopics(m); err != nil {
		return o, err
	}
	o.operations, err = checkOperations(m)
	return o, err
}
