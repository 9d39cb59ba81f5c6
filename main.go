// MiniFleet is a self-hosted platform for companies that run a WeChat third-party platform. See README.md.
package main

import (
	"fmt"
	"os"

	"minifleet/app/command"
)

func main() {
	executable, err := os.Executable()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "minifleet:", err)
		os.Exit(1)
	}
	os.Exit(command.Main(command.Env{Args: os.Args[1:], Environ: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr, Executable: executable}))
}
