package command

import (
	"context"
	"errors"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/transfer"
)

// tableTarget takes rows into the plugins' tables that let people create or edit.
type tableTarget struct{ p *platform }

func (t tableTarget) Form(ctx context.Context, who account.Actor, list string) (transfer.Form, error) {
	id, name := tableOf(list)
	table, err := t.p.plugins.Table(ctx, who, id, name)
	if err != nil {
		return transfer.Form{}, err
	}
	return formOf(table), nil
}

// importable names the plugins' tables that the person may fill.
func (p *platform) importable(ctx context.Context, who account.Actor) []transfer.List {
	var out []transfer.List
	for _, m := range p.plugins.Manifests() {
		for _, t := range m.GetTables() {
			if table, err := p.plugins.Table(ctx, who, m.GetId(), t.GetName()); err == nil && (table.GetCanCreate() || table.GetCanEdit()) {
				out = append(out, transfer.List{Name: m.GetId() + "_" + t.GetName(), Title: table.GetTitle()})
			}
		}
	}
	return out
}

func formOf(table *plugin.Table) transfer.Form {
	// A table whose forms the plugin saves itself has no keys that make a repeat harmless.
	f := transfer.Form{Title: table.GetTitle(), CanCreate: table.GetCanCreate(), CanUpdate: table.GetCanEdit(), Keyed: !table.GetSaveHook()}
	for _, c := range table.GetForm() {
		one := transfer.Field{Name: c.GetName(), Title: c.GetTitle(), Help: c.GetHelp(), Type: c.GetType(), Required: c.GetRequired(), Size: int(c.GetSize())}
		for _, o := range c.GetOptions() {
			one.Choices = append(one.Choices, transfer.Choice{Value: o.GetValue(), Label: o.GetLabel()})
		}
		f.Fields = append(f.Fields, one)
	}
	return f
}

// errDry takes a dry run back.
var errDry = errors.New("dry run")

// Try writes the rows and takes all of it back, so that it knows what only the database knows: a name that is taken, a row
// that is somebody else's. What the plugin saves itself is looked at only as far as the host can.
func (t tableTarget) Try(ctx context.Context, who account.Actor, list string, rows []transfer.Row) ([]transfer.Outcome, error) {
	id, name := tableOf(list)
	table, err := t.p.plugins.Table(ctx, who, id, name)
	if err != nil {
		return nil, err
	}
	out := make([]transfer.Outcome, len(rows))
	if table.GetSaveHook() {
		for i, r := range rows {
			out[i] = transfer.Outcome{ID: r.ID, Err: t.p.plugins.CheckForm(ctx, who, id, name, r.ID, r.Values)}
		}
		return out, nil
	}
	err = t.p.db.Tx(ctx, func(ctx context.Context) error {
		for i, r := range rows {
			made, err := t.p.plugins.SaveOnce(ctx, who, id, name, r.ID, r.Values, "")
			if err != nil && fault.KindOf(err) == fault.Internal {
				return err // the database's own trouble: it begins anew, or the run ends
			}
			out[i] = transfer.Outcome{ID: made, Err: err}
		}
		return errDry
	})
	if !errors.Is(err, errDry) {
		return nil, err
	}
	return out, nil
}

// Apply writes the rows. In the transaction of its context a row that fails has to take the others back, which the caller
// sees to.
func (t tableTarget) Apply(ctx context.Context, who account.Actor, list string, rows []transfer.Row) ([]transfer.Outcome, error) {
	id, name := tableOf(list)
	out := make([]transfer.Outcome, len(rows))
	for i, r := range rows {
		made, err := t.p.plugins.SaveOnce(ctx, who, id, name, r.ID, r.Values, r.Key)
		if err != nil && fault.KindOf(err) == fault.Internal {
			return nil, err
		}
		out[i] = transfer.Outcome{ID: made, Err: err}
	}
	return out, nil
}
