package plugin

import (
	"context"

	"minifleet/plugins/sdk/pluginpb"
)

// Aggregate counts, sums and takes the least and the greatest of an own collection's rows: those of them that the call may
// see, by up to three columns. Figures are exact up to 10,000 rows, up to 100,000 where one index holds every column that is
// asked for and looked at; beyond that they are of so many rows, and Partial says so. It costs the same on any table.
func (s *hostService) Aggregate(ctx context.Context, request *pluginpb.AggregateRequest) (answer *pluginpb.AggregateResponse, err error) {
	defer s.guard("Aggregate", &err)
	a, ctx, err := s.authorized(ctx)
	if err != nil {
		return nil, err
	}
	c := s.info.collections[request.GetCollection()]
	if c == nil {
		return nil, mistake("no collection %q", request.GetCollection())
	}
	counted, err := s.host.committer.aggregate(ctx, a, c, request)
	if err != nil {
		return nil, err
	}
	return counted.encode(request.GetGroupBy())
}
