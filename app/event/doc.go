// Package event is the durable event log: append, fan out, deliver in order, retry, dead-letter, replay, list, prune.
// It never decides what an event means and never talks to WeChat. The inbox appends pushes, the core and the plugin host
// append their own events, and every subscriber (core rooms, plugins) is called at least once per event it asked for.
//
// The way of an event: Append packs what arrives together into one batch, which is made durable in the journal beside the
// SQLite file (or as one row of event_intake, beside MySQL and in a second process) and answered; the dispatcher moves it
// into event_log with one event_delivery row per subscriber, in one transaction, dropping repetitions; a worker that
// holds the lease of the event_queue row calls the handler, in order of arrival per (subscriber, component, mini
// program). AppendTx writes event_log directly, since it shares the caller's commit.
package event
