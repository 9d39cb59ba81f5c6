// Package lang turns finished pages from Chinese into English: fixed sentences are looked up in a dictionary whose keys
// are the Chinese sentences themselves. It never touches what users wrote (elements marked translate="no") and knows no
// room. web puts it around every page; a test of command holds the dictionary against the whole source.
package lang
