// Auditnotifier is an example of an extension of MiniFleet: it tells a group's robot in 企业微信, 钉钉 or 飞书 when WeChat
// rejects a version.
package main

import "minifleet/plugins/sdk"

func main() { sdk.Serve(New()) }
