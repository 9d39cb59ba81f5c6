// Package schema holds JSON values to JSON Schemas and says in Chinese, field by field, what does not fit. A schema refers to
// nothing outside itself. The plugin host and the host of the plugins' tests use it, so that both mean the same.
package schema
