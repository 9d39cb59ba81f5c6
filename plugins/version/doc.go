// Package version is the version-management plugin: drafts and templates of a 第三方平台, and the three lanes
// (线上/审核/体验) of every mini program, with submit, release, gray release and rollback.
// It never holds a token, never opens a database and never decides who may act: the host does, at every call.
// The host starts it (`minifleet plugin run version`); market calls its operations install and template.
package version
