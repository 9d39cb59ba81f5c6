package web

import (
	"context"
	"encoding/json"

	"github.com/gogf/gf/v2/frame/g"
)

type listOperationsIn struct {
	g.Meta `path:"/plugins/{id}/operations" method:"get" tags:"插件" summary:"插件提供给其他插件的操作，以及输入和回答的 JSON Schema" needs:"plugin.read"`
	ID     string `json:"id" in:"path"`
}

type operationView struct {
	Operation string          `json:"operation"` // <plugin>.<name>
	Title     string          `json:"operation_title"`
	Internal  bool            `json:"internal"` // only the host asks
	Input     json.RawMessage `json:"input_schema"`
	Output    json.RawMessage `json:"output_schema"`
}

func (s *Server) listOperations(ctx context.Context, in *listOperationsIn) (*list[operationView], error) {
	if _, err := operator(ctx, "plugin.read"); err != nil {
		return nil, err
	}
	rows := []operationView{}
	for _, o := range s.o.Plugins.Operations() {
		if o.Plugin == in.ID {
			rows = append(rows, operationView{o.Plugin + "." + o.Name, o.Title, o.Internal, schemaOrNull(o.Input), schemaOrNull(o.Output)})
		}
	}
	return listOf(rows, "", int64(len(rows))), nil
}

func schemaOrNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}
