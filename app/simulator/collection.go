package simulator

import (
	"encoding/json"
	"fmt"
	"sort"
)

// journal remembers which documents changed since the last save.
type journal struct {
	changed map[docKey]any // nil value: deleted
}

// collection is one kind of document, held in memory and written through the journal. A document that was changed in
// place must be put again, otherwise it is not saved.
type collection[T any] struct {
	kind string
	docs map[string]*T
	log  *journal
}

func newCollection[T any](kind string, log *journal) *collection[T] {
	return &collection[T]{kind: kind, docs: map[string]*T{}, log: log}
}

func (c *collection[T]) get(id string) *T { return c.docs[id] }

func (c *collection[T]) put(id string, doc *T) {
	c.docs[id] = doc
	c.log.changed[docKey{c.kind, id}] = doc
}

func (c *collection[T]) delete(id string) {
	if _, ok := c.docs[id]; ok {
		delete(c.docs, id)
		c.log.changed[docKey{c.kind, id}] = nil
	}
}

// ids returns all ids in ascending order.
func (c *collection[T]) ids() []string {
	ids := make([]string, 0, len(c.docs))
	for id := range c.docs {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids
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
	c.docs[id] = doc
	return nil
}

// restorer lets the loader treat collections of different types alike.
type restorer interface {
	restore(id string, body []byte) error
}
