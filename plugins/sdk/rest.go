package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
)

// rest declares the REST of a Registered collection.
func (r *Registered[T]) rest(made registration) {
	options := []RouteOption{Permission(r.permission)}
	if len(made.kinds) > 0 {
		options = append(options, Kinds(made.kinds...))
	}
	declare := func(pattern, summary string, status int, input, output map[string]any, run func(context.Context, *http.Request) (any, error)) {
		r.plugin.route("api", pattern, append([]RouteOption{Summary(summary)}, options...), answering(status, run))
		declared := r.plugin.manifest.GetRoutes()[len(r.plugin.manifest.GetRoutes())-1]
		if input != nil {
			declared.InputSchema = mustJSON(r.shape.typ, input)
		}
		if status != http.StatusOK {
			output["x-status"] = status
		}
		declared.OutputSchema = mustJSON(r.shape.typ, output)
	}
	base := "/" + r.name
	declare("GET "+base, r.title+"：列表", http.StatusOK, r.shape.querySchema(), r.shape.listSchema(), r.list)
	declare("GET "+base+"/{id}", r.title+"：读取一条", http.StatusOK, nil, r.shape.rowSchema(), r.read)
	if made.readOnly {
		return
	}
	declare("POST "+base, r.title+"：新增", http.StatusCreated, r.shape.bodySchema(true), r.shape.rowSchema(), r.create)
	declare("PATCH "+base+"/{id}", r.title+"：修改给出的字段", http.StatusOK, r.shape.bodySchema(false), r.shape.rowSchema(), r.change)
	declare("DELETE "+base+"/{id}", r.title+"：删除", http.StatusOK, nil, map[string]any{"type": "object", "properties": map[string]any{}}, r.remove)
}

// actionREST lets a program do what the button does, on one row.
func (r *Registered[T]) actionREST(action Action) {
	if action.Run == nil || len(r.plugin.mistakes) > 0 {
		return
	}
	r.plugin.route("api", "POST /"+r.name+"/{id}/"+action.Name, []RouteOption{Summary(r.title + "：" + action.Title), Permission(action.Permission), Kinds(r.table.Kinds...)},
		answering(http.StatusOK, func(ctx context.Context, q *http.Request) (any, error) {
			id, err := idOf(q)
			if err != nil {
				return nil, err
			}
			result, err := action.Run(ctx, []int64{id})
			return map[string]string{"message": result.Message}, err
		}))
	declared := r.plugin.manifest.GetRoutes()[len(r.plugin.manifest.GetRoutes())-1]
	declared.InputSchema = mustJSON(r.shape.typ, map[string]any{"type": "object", "properties": map[string]any{}, "additionalProperties": false})
	declared.OutputSchema = mustJSON(r.shape.typ, map[string]any{
		"type": "object", "required": []string{"message"}, "properties": map[string]any{"message": map[string]any{"type": "string"}},
	})
}

func answering(status int, run func(context.Context, *http.Request) (any, error)) func(context.Context, *http.Request) (answer, error) {
	return func(ctx context.Context, q *http.Request) (answer, error) {
		out, err := run(ctx, q)
		if err != nil {
			return answer{}, err
		}
		return jsonAnswer(status, out)
	}
}

func idOf(q *http.Request) (int64, error) {
	id, err := strconv.ParseInt(q.PathValue("id"), 10, 64)
	if err != nil {
		return 0, Fail("invalid_input", "请检查填写的内容").On("id", "应为整数")
	}
	return id, nil
}

// wireRow is a row as REST shows it.
func (r *Registered[T]) wireRow(row *T) map[string]any {
	cells, base := r.shape.cells(reflect.ValueOf(row).Elem()), r.base(row)
	cells[ColumnID], cells[ColumnSpace] = strconv.FormatInt(base.ID, 10), strconv.FormatInt(base.SpaceID, 10)
	cells[ColumnVersion], cells[ColumnCreatedAt], cells[ColumnUpdatedAt] = base.Version, base.CreatedAt, base.UpdatedAt
	return cells
}

func (r *Registered[T]) list(ctx context.Context, q *http.Request) (any, error) {
	asked := q.URL.Query()
	query := Query{Sort: asked.Get("sort"), Search: asked.Get("search"), Cursor: asked.Get("cursor"), Count: true}
	refused := badInput()
	if text := asked.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > 200 {
			refused = refused.On("limit", "应为 1 到 200 的整数")
		}
		query.Limit = limit
	}
	if query.Sort == "" {
		query.Sort = r.table.Sort
	}
	for _, column := range r.shape.columns {
		text := asked.Get(column.Name)
		if column.Filter == "" || text == "" {
			continue
		}
		condition, reason := r.filter(column, text)
		if reason != "" {
			refused = refused.On(column.Name, reason)
		}
		query.Where = append(query.Where, condition)
	}
	if err := refused.orNil(); err != nil {
		return nil, err
	}
	page, err := r.Find(ctx, query)
	if err != nil {
		return nil, err
	}
	shown := Rows[map[string]any]{Next: page.Next, Total: page.Total}
	for _, row := range page.Items {
		shown.Items = append(shown.Items, r.wireRow(&row))
	}
	return shown, nil
}

func (r *Registered[T]) filter(column Column, text string) (Where, string) {
	if column.Filter == "like" {
		return Like(column.Name, text), ""
	}
	var row T
	field := reflect.ValueOf(&row).Elem().FieldByIndex(r.shape.fields[column.Name])
	reason := textInto(column, field, text)
	return Eq(column.Name, field.Interface()), reason
}

func (r *Registered[T]) read(ctx context.Context, q *http.Request) (any, error) {
	id, err := idOf(q)
	if err != nil {
		return nil, err
	}
	return r.readID(ctx, id)
}

func (r *Registered[T]) readID(ctx context.Context, id int64) (any, error) {
	row, err := r.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return r.wireRow(&row), nil
}

func bodyCells(q *http.Request) (map[string]json.RawMessage, error) {
	raw, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, Fail("invalid_json", "请求正文没有读完，请重试").Because(err)
	}
	var cells map[string]json.RawMessage
	if err := json.Unmarshal(raw, &cells); err != nil || cells == nil {
		return nil, Fail("invalid_json", "请求正文不是一个完整的 JSON 对象，请检查格式").Because(errors.Join(err))
	}
	return cells, nil
}

func (r *Registered[T]) create(ctx context.Context, q *http.Request) (any, error) {
	cells, err := bodyCells(q)
	if err != nil {
		return nil, err
	}
	id, err := r.save(ctx, 0, 0, func(row reflect.Value) (map[string]bool, error) { return r.shape.fromJSON(row, cells) })
	if err != nil {
		return nil, err
	}
	return r.readID(ctx, id)
}

func (r *Registered[T]) change(ctx context.Context, q *http.Request) (any, error) {
	id, err := idOf(q)
	if err != nil {
		return nil, err
	}
	cells, err := bodyCells(q)
	if err != nil {
		return nil, err
	}
	var version int64
	if cell, given := cells[ColumnVersion]; given && json.Unmarshal(cell, &version) != nil {
		return nil, badInput().On(ColumnVersion, "应为整数")
	}
	if id, err = r.save(ctx, id, version, func(row reflect.Value) (map[string]bool, error) { return r.shape.fromJSON(row, cells, ColumnVersion) }); err != nil {
		return nil, err
	}
	return r.readID(ctx, id)
}

func (r *Registered[T]) remove(ctx context.Context, q *http.Request) (any, error) {
	id, err := idOf(q)
	if err != nil {
		return nil, err
	}
	_, err = Commit(ctx, []Op{r.Delete(id, 0)})
	return struct{}{}, err
}

// jsonType is the schema of one column's cell.
func (c Column) schema() map[string]any {
	schema := map[string]any{"description": c.Title}
	switch c.Type {
	case "int", "time":
		schema["type"] = "integer"
		if c.Type == "time" {
			schema["description"] = c.Title + "，Unix 毫秒"
		}
	case "bool":
		schema["type"] = "boolean"
	case "json":
		return schema
	default:
		schema["type"] = "string"
		if c.Type != "longtext" {
			schema["maxLength"] = c.sizeOrDefault()
		}
	}
	if len(c.Options) > 0 {
		words, choice := c.Title+"：", []any{}
		for i, option := range c.Options {
			if i > 0 {
				words += "，"
			}
			words += option.Value + " " + option.Label
			choice = append(choice, option.value(c.Type))
		}
		schema["description"] = words
		if !c.Required && c.Type != "int" {
			choice = append(choice, "")
		}
		schema["enum"] = choice
	}
	return schema
}

func (o Option) value(column string) any {
	if n, err := strconv.ParseInt(o.Value, 10, 64); err == nil && column == "int" {
		return n
	}
	return o.Value
}

// rowSchema is a row as REST shows it.
func (s shape) rowSchema() map[string]any {
	number := func() map[string]any { return map[string]any{"type": "integer"} }
	id := func() map[string]any { return map[string]any{"type": "string", "pattern": "^-?[0-9]+$"} }
	properties := map[string]any{
		ColumnID: id(), ColumnSpace: id(), ColumnVersion: number(), ColumnCreatedAt: number(), ColumnUpdatedAt: number(),
	}
	required := []string{ColumnID, ColumnSpace, ColumnVersion, ColumnCreatedAt, ColumnUpdatedAt}
	for _, column := range s.columns {
		schema := column.schema()
		delete(schema, "enum") // what was kept before a choice changed is still shown
		properties[column.Name] = schema
		required = append(required, column.Name)
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

func (s shape) listSchema() map[string]any {
	return map[string]any{
		"type": "object", "required": []string{"items", "next", "total"},
		"properties": map[string]any{
			"items": map[string]any{"type": "array", "items": s.rowSchema()},
			"next":  map[string]any{"type": []string{"string", "null"}},
			"total": map[string]any{"type": []string{"integer", "null"}},
		},
	}
}

// bodySchema is what a person may send: the form's columns, and the version they have seen.
func (s shape) bodySchema(fresh bool) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for _, column := range s.columns {
		if !column.Form {
			continue
		}
		properties[column.Name] = column.schema()
		if column.Required && fresh {
			required = append(required, column.Name)
		}
	}
	if !fresh {
		properties[ColumnVersion] = map[string]any{"type": "integer"}
	}
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}

func (s shape) querySchema() map[string]any {
	text := func() map[string]any { return map[string]any{"type": "string"} }
	query := map[string]any{"limit": map[string]any{"type": "integer"}, "cursor": text(), "sort": text()}
	for _, column := range s.columns {
		if column.Search {
			query["search"] = text()
		}
		if column.Filter != "" {
			schema := column.schema()
			delete(schema, "maxLength")
			query[column.Name] = schema
		}
	}
	return map[string]any{"x-query": query}
}
