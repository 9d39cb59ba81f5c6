package config

import (
	"fmt"
	"os"
)

// checkExposure refuses files with secrets that every user of the machine may read: extensions run as users of their own.
func (c *Config) checkExposure(path string, lines map[string]int, refuse func(key, why string)) {
	files := map[string]string{
		"server.metricsToken": c.Server.MetricsToken, "database.dsnFile": c.Database.DSNFile, "mail.passwordFile": c.Mail.PasswordFile, "sms.secretFile": c.SMS.SecretFile,
	}
	if lines["database.dsn"] > 0 && c.Database.DSN != "" && c.Database.DSNFile == "" {
		files["database.dsn"] = path
	}
	for key, file := range files {
		if file == "" {
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			continue // whoever reads it says what is wrong with it
		}
		if info.Mode().Perm()&0o004 != 0 {
			refuse(key, fmt.Sprintf("every user of this machine can read %s, and with plugins.thirdParty extensions run as users of their own: chmod o-r it", file))
		}
	}
}
