package wechat

import "context"

// Account states of AuthorizerInfo (01 D.6).
const (
	AccountNormal    = 1
	AccountCancelled = 14
	AccountBanned    = 16
	AccountWarned    = 18
	AccountFrozen    = 19
)

// AuthorizerInfo is the profile and the authorisation of one account.
type AuthorizerInfo struct {
	AppID         string
	NickName      string
	HeadImg       string
	Alias         string // official accounts only
	UserName      string // gh_ id: what ToUserName of a push must be
	QRCodeURL     string
	PrincipalName string
	Signature     string
	ServiceType   int // 0 normal mini program, 4 game, 12 trial
	VerifyType    int // -1 not certified, 0 certified
	AccountStatus int // Account…; 0 when WeChat did not say
	RegisterType  int
	HasPhone      bool // is_phone_configured
	HasEmail      bool // is_email_configured; without it nobody can log in to the mini program's console
	Business      BusinessInfo
	IsMiniProgram bool
	Network       Domains
	Webview       []string // 业务域名, where WeChat tells them
	Categories    []CategoryNames
	RefreshToken  string // "" when the account has no API permission or its code was never exchanged
	Sets          []int
}

// BusinessInfo tells which abilities of the account are open.
type BusinessInfo struct {
	Pay   bool `json:"open_pay"`
	Shake bool `json:"open_shake"`
	Scan  bool `json:"open_scan"`
	Card  bool `json:"open_card"`
	Store bool `json:"open_store"`
}

// CategoryNames is a category by its names only.
type CategoryNames struct {
	First  string `json:"first"`
	Second string `json:"second"`
}

type typeID struct {
	ID int `json:"id"`
}

type authorizerWire struct {
	Info struct {
		NickName string       `json:"nick_name"`
		Alias    string       `json:"alias"`
		Business BusinessInfo `json:"business_info"`
		Basic    struct {
			Phone bool `json:"is_phone_configured"`
			Email bool `json:"is_email_configured"`
		} `json:"basic_config"`
		HeadImg       string  `json:"head_img"`
		UserName      string  `json:"user_name"`
		QRCodeURL     string  `json:"qrcode_url"`
		PrincipalName string  `json:"principal_name"`
		Signature     string  `json:"signature"`
		ServiceType   typeID  `json:"service_type_info"`
		VerifyType    *typeID `json:"verify_type_info"`
		AccountStatus int     `json:"account_status"`
		RegisterType  int     `json:"register_type"`
		MiniProgram   *struct {
			Network struct {
				Request   []string `json:"RequestDomain"`
				WSRequest []string `json:"WsRequestDomain"`
				Upload    []string `json:"UploadDomain"`
				Download  []string `json:"DownloadDomain"`
				UDP       []string `json:"UDPDomain"`
				TCP       []string `json:"TCPDomain"`
				Webview   []string `json:"BizDomain"`
			} `json:"network"`
			Categories []CategoryNames `json:"categories"`
		} `json:"MiniProgramInfo"`
	} `json:"authorizer_info"`
	Authorization struct {
		AppID   string     `json:"authorizer_appid"`
		Refresh string     `json:"authorizer_refresh_token"`
		Funcs   []funcInfo `json:"func_info"`
	} `json:"authorization_info"`
}

// AuthorizerInfo reads profile and permission sets (01 D.6). Error 61003: not authorised to this component.
func (c *Client) AuthorizerInfo(ctx context.Context, component, componentToken, appID string) (AuthorizerInfo, error) {
	in := struct {
		Component string `json:"component_appid"`
		AppID     string `json:"authorizer_appid"`
	}{component, appID}
	var out authorizerWire
	if _, err := c.send(ctx, EndpointAuthorizerInfo, componentToken, in, &out); err != nil {
		return AuthorizerInfo{}, err
	}
	if out.Info.UserName == "" && out.Authorization.AppID == "" {
		return AuthorizerInfo{}, incomplete(EndpointAuthorizerInfo, "authorizer_info")
	}
	i := out.Info
	info := AuthorizerInfo{
		AppID: appID, NickName: i.NickName, HeadImg: i.HeadImg, UserName: i.UserName, QRCodeURL: i.QRCodeURL,
		PrincipalName: i.PrincipalName, Signature: i.Signature, ServiceType: i.ServiceType.ID, VerifyType: -1,
		Alias: i.Alias, Business: i.Business, HasPhone: i.Basic.Phone, HasEmail: i.Basic.Email,
		AccountStatus: i.AccountStatus, RegisterType: i.RegisterType, IsMiniProgram: i.MiniProgram != nil,
		RefreshToken: out.Authorization.Refresh, Sets: sets(out.Authorization.Funcs),
	}
	if i.VerifyType != nil {
		info.VerifyType = i.VerifyType.ID
	}
	if i.MiniProgram != nil {
		n := i.MiniProgram.Network
		info.Network = Domains{n.Request, n.WSRequest, n.Upload, n.Download, n.UDP, n.TCP}
		info.Webview = n.Webview
		info.Categories = i.MiniProgram.Categories
	}
	return info, nil
}

// MaxAuthorizerPage is the largest page of AuthorizerList (40170 above).
const MaxAuthorizerPage = 500

// ListedAuthorizer is one account of AuthorizerList.
type ListedAuthorizer struct {
	AppID        string `json:"authorizer_appid"`
	RefreshToken string `json:"refresh_token"` // "" when its code was never exchanged
	AuthorizedAt int64  `json:"auth_time"`     // unix seconds
}

// AuthorizerPage is one page and how many there are in all.
type AuthorizerPage struct {
	Total int64              `json:"total_count"`
	List  []ListedAuthorizer `json:"list"`
}

// AuthorizerList reads a page of the accounts authorised to the component (01 D.7). count is 1 to 500.
func (c *Client) AuthorizerList(ctx context.Context, component, componentToken string, offset, count int) (AuthorizerPage, error) {
	in := struct {
		Component string `json:"component_appid"`
		Offset    int    `json:"offset"`
		Count     int    `json:"count"`
	}{component, offset, count}
	var out AuthorizerPage
	_, err := c.send(ctx, EndpointAuthorizerList, componentToken, in, &out)
	return out, err
}
