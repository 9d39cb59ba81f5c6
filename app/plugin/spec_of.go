package plugin

import "minifleet/app/plugin/archive"

// SpecOf is plugin.yaml of a manifest: what it asks for is what an operator will approve.
func SpecOf(m *Manifest) archive.Spec {
	asked := m.GetCapabilities()
	spec := archive.Spec{
		ID: m.GetId(), Title: m.GetTitle(), Version: m.GetVersion(), Description: m.GetDescription(), Author: m.GetAuthor(), Protocol: int(m.GetProtocol()),
		Capabilities: archive.Capabilities{WeChat: asked.GetWechat(), Core: asked.GetCore(), Calls: asked.GetCalls(), Hosts: asked.GetHosts()},
	}
	for _, s := range m.GetSubscriptions() {
		spec.Capabilities.Events = append(spec.Capabilities.Events, s.GetType())
	}
	for _, j := range m.GetJobs() {
		spec.Capabilities.Jobs = append(spec.Capabilities.Jobs, archive.Job{Name: j.GetName(), Title: j.GetTitle(), Spec: j.GetSpec(), Platform: j.GetPlatform()})
	}
	for _, c := range m.GetCollections() {
		data := archive.Data{Name: c.GetName(), Visibility: c.GetVisibility().GetKind()}
		for _, t := range m.GetTables() {
			if t.GetCollection() == c.GetName() {
				data.Title = t.GetTitle()
				break
			}
		}
		spec.Capabilities.Data = append(spec.Capabilities.Data, data)
	}
	return spec
}
