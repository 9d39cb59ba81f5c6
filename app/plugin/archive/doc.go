// Package archive is the form in which an extension travels: a gzipped tar of plugin.yaml, checksums, one binary per platform and assets.
// It packs, verifies and unpacks; it never executes anything, keeps no state and decides about nobody's rights.
// The plugin host, the back office and the commands `plugin pack` and `plugin install` call it.
package archive
