// Package simulator is a WeChat Open Platform that runs on a laptop: WeChat's own paths, token lifetimes, code lanes,
// encrypted pushes, authorisation pages, a console for people and a control API for programs.
// It never imports another package of this module (its message crypto is written from WeChat's documents alone) and
// never talks to the real WeChat. The commands `simulator` and `demo` and the tests of other rooms call it.
package simulator
