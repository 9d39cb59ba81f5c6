package admin

func (a *Admin) corePages() []Page { return nil }

type Services struct{}
