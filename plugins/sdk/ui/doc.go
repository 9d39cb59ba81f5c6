// Package ui holds the HTML blocks that plugins share: typed values that render with the platform's mf- classes, and
// the small template functions every page needs. It decides nothing and reads nothing. Called by plugins' views.
package ui
