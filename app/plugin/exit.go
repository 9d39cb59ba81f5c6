package plugin

import (
	"time"

	goplugin "github.com/hashicorp/go-plugin"
)

// pollExit is the fallback where the kernel offers no handle on a process.
func pollExit(client *goplugin.Client) {
	for !client.Exited() {
		time.Sleep(50 * time.Millisecond)
	}
}
