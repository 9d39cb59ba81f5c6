package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// journal remembers which documents changed since the last save.
type journal struct {
	changed map[docKey]any // nil value: deleted
	turn    int64          // how many batches were taken out of it
}

// collection is one kind of document, held in memory and written through the journal. A document that was changed in
// place must be put again, otherwise it is not saved.
type collection[T any] struct {
	kind string
	docs map[string]*T
	log  *journal

	sorted []string // all ids in ascending order, or nil when they have to be sorted again
}

func newCollection[T any](kind string, log *journal) *collection[T] {
	return &collection[T]{kind: kind, docs: map[string]*T{}, log: log}
}

func (c *collection[T]) get(id string) *T { return c.docs[id] }

func (c *collection[T]) put(id string, doc *T) {
	if _, known := c.docs[id]; !known {
		if n := len(c.sorted); n > 0 && n == len(c.docs) && c.sorted[n-1] < id {
			c.sorted = append(c.sorted, id)
		} else {
			c.sorted = nil
		}
	}
	c.docs[id] = doc
	c.log.changed[docKey{c.kind, id}] = doc
}

func (c *collection[T]) delete(id string) {
	if _, ok := c.docs[id]; ok {
		delete(c.docs, id)
		if len(c.sorted) > 0 && c.sorted[0] == id {
			c.sorted = c.sorted[1:]
		} else {
			c.sorted = nil
		}
		c.log.changed[docKey{c.kind, id}] = nil
	}
}

// ids returns all ids in ascending order. The caller must not change them.
func (c *collection[T]) ids() []string {
	if len(c.sorted) != len(c.docs) {
		c.sorted = slices.Sorted(maps.Keys(c.docs))
	}
	return c.sorted[:len(c.sorted):len(c.sorted)]
}

// all returns all documents in the order of their ids.
func (c *collection[T]) all() []*T {
	docs := make([]*T, 0, len(c.docs))
	for _, id := range c.ids() {
		docs = append(docs, c.docs[id])
	}
	return docs
}

func (c *collection[T]) restore(id string, body []byte) error {
	doc := new(T)
	if err := json.Unmarshal(body, doc); err != nil {
		return fmt.Errorf("document does not parse: %w", err)
	}
	c.docs[id], c.sorted = doc, nil
	return nil
}

// restorer lets the loader treat collections of different types alike.
type restorer interface {
	restore(id string, body []byte) error
}
