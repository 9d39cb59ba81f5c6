// Command asker is the extension that the suite of host behaviours asks.
package main

import (
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest/hostsuite"
)

func main() { sdk.Serve(hostsuite.Asker()) }
