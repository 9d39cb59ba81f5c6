package pluginpb

// Bound are the columns that decide who sees a row: an update cannot change them.
func (x *Visibility) Bound() []string {
	switch x.GetKind() {
	case "parties":
		return []string{x.GetColumn(), x.GetOther()}
	case "miniprogram":
		return []string{x.GetColumn()}
	default:
		return nil
	}
}
