package main

import (
	_ "github.com/GoAdminGroup/go-admin/adapter/gf2"
	_ "github.com/GoAdminGroup/go-admin/engine"
	_ "github.com/GoAdminGroup/themes/sword"
	_ "github.com/bufbuild/protocompile"
	_ "github.com/chromedp/chromedp"
	_ "github.com/glebarez/go-sqlite"
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/gogf/gf/contrib/drivers/mysql/v2"
	_ "github.com/gogf/gf/contrib/drivers/sqlite/v2"
	_ "github.com/gogf/gf/v2/frame/g"
	_ "github.com/hashicorp/go-plugin"
	_ "github.com/pressly/goose/v3"
	_ "github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/robfig/cron/v3"
	_ "github.com/skip2/go-qrcode"
	_ "github.com/tink-crypto/tink-go/v2/aead"
	_ "github.com/tink-crypto/tink-go/v2/prf"
	_ "golang.org/x/crypto/argon2"
	_ "golang.org/x/sync/singleflight"
	_ "golang.org/x/time/rate"
)

func main() {}
