package admin

import (
	"embed"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"strings"

	gotemplate "github.com/GoAdminGroup/go-admin/template"
	"github.com/GoAdminGroup/go-admin/template/components"
	"github.com/GoAdminGroup/go-admin/template/types"
	"github.com/GoAdminGroup/themes/common"
	"github.com/GoAdminGroup/themes/sword"
	"github.com/GoAdminGroup/themes/sword/resource"
)

// themeName is the name under which GoAdmin finds the theme.
const themeName = "minifleet"

//go:embed theme
var themeFiles embed.FS

// theme is Sword with blocks of ours laid over it: a frame that asks no other site for anything, lists that become
// cards on a phone, forms without jQuery. Sword's own scripts are not loaded at all.
type theme struct {
	*sword.Theme
	layout *template.Template
}

// newTheme parses the frame once; executing it is safe for concurrent use.
func newTheme() *theme {
	blocks := maps.Clone(sword.TemplateList)
	for name := range blocks {
		// A form field's or list's own stock template brings inline scripts with it; ours are below theme/components.
		if strings.HasPrefix(name, "components/form") || strings.HasPrefix(name, "components/table") || name == "components/paginator" {
			blocks[name] = ""
		}
	}
	err := fs.WalkDir(themeFiles, "theme/components", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := themeFiles.ReadFile(name)
		if err == nil {
			blocks[strings.TrimSuffix(strings.TrimPrefix(name, "theme/"), path.Ext(name))] = string(body)
		}
		return err
	})
	if err != nil {
		panic(fmt.Errorf("admin: embedded theme: %w", err)) // the files are in the binary: only a broken build gets here
	}
	layout := template.Must(template.New("layout").Funcs(gotemplate.DefaultFuncMap).ParseFS(themeFiles, "theme/*.tmpl"))
	attr := types.Attribute{TemplateList: blocks}
	return &theme{layout: layout, Theme: &sword.Theme{
		ThemeName: themeName,
		Base:      components.Base{Attribute: attr},
		BaseTheme: &common.BaseTheme{AssetPaths: resource.AssetPaths, TemplateList: blocks},
	}}
}

// GetTemplate gives the frame. A page without a frame is never asked of the theme, so pjax makes no difference.
func (t *theme) GetTemplate(bool) (*template.Template, string) { return t.layout, "layout" }

// GetHeadHTML is empty: the frame links its own files, in the order that lets ours win over Sword's.
func (t *theme) GetHeadHTML() template.HTML { return "" }

// GetFootJS is empty: the frame's script is linked in the head.
func (t *theme) GetFootJS() template.HTML { return "" }

// GetAssetImportHTML is empty: the stock components' scripts are not used.
func (t *theme) GetAssetImportHTML(...string) template.HTML { return "" }

// GetTmplList gives the blocks with ours laid over Sword's.
func (t *theme) GetTmplList() map[string]string { return t.Base.Attribute.TemplateList }

// escapeCell runs over every list cell whose column does not answer HTML of its own making: stored text stays text.
func escapeCell(v types.FieldModel) interface{} { return html.EscapeString(v.Value) }

var _ gotemplate.Template = (*theme)(nil)
