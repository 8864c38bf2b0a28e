package main

import (
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// readSecretFiles gives each setting whose environment variable is not set the
// content of the file that the variable with _FILE after its name points to, as
// Docker's and systemd's secrets are handed over: PORTAL_SMTP_URL_FILE.
func readSecretFiles(app *kong.Application) error {
	read := map[string]bool{} // several commands share a setting
	return eachFlag(app, func(flag *kong.Flag) error {
		for _, name := range flag.Envs {
			path := os.Getenv(name + "_FILE")
			if path == "" || read[name] {
				continue
			}
			read[name] = true
			if _, set := os.LookupEnv(name); set {
				return fmt.Errorf("%s and %s_FILE are both set: set one of them", name, name)
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return fmt.Errorf("%s_FILE: %w", name, err)
			}
			if err := os.Setenv(name, strings.TrimRight(string(content), "\r\n")); err != nil {
				return fmt.Errorf("%s_FILE: %w", name, err)
			}
		}
		return nil
	})
}

// eachFlag calls do for every flag of every command.
func eachFlag(app *kong.Application, do func(*kong.Flag) error) error {
	return kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			return next(do(flag))
		}
		return next(nil)
	})
}

// hideSecrets starts the program anew, in the same process, without the flags
// that hold a password: everybody on the machine may read the arguments of a
// process, only its owner its environment. It returns where there are none.
func hideSecrets(app *kong.Application, arguments []string) error {
	left, moved := withoutSecrets(envOfFlags(app), arguments)
	if len(moved) == 0 {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("hide the passwords of the command line: %w", err)
	}
	err = syscall.Exec(self, append([]string{os.Args[0]}, left...), append(os.Environ(), moved...))
	return fmt.Errorf("hide the passwords of the command line: %w", err)
}

// envOfFlags is the environment variable of each flag that has one.
func envOfFlags(app *kong.Application) map[string]string {
	envs := map[string]string{}
	_ = eachFlag(app, func(flag *kong.Flag) error {
		if len(flag.Envs) > 0 {
			envs[flag.Name] = flag.Envs[0] // the first is the one that wins
		}
		return nil
	})
	return envs
}

// withoutSecrets takes the flags with passwords out of the arguments and
// returns them as NAME=value.
func withoutSecrets(envs map[string]string, arguments []string) (left, moved []string) {
	for i := 0; i < len(arguments); i++ {
		name, value, joined := strings.Cut(strings.TrimPrefix(arguments[i], "--"), "=")
		env := envs[name]
		if !strings.HasPrefix(arguments[i], "--") || env == "" {
			left = append(left, arguments[i])
			continue
		}
		if !joined {
			if i+1 == len(arguments) {
				return append(left, arguments[i]), moved
			}
			value = arguments[i+1]
		}
		if !holdsPassword(name, value) {
			left = append(left, arguments[i])
			continue
		}
		moved = append(moved, env+"="+value)
		if !joined {
			i++
		}
	}
	return left, moved
}

// keywordPassword is a password in a libpq keyword string: host=db password=x.
var keywordPassword = regexp.MustCompile(`(^|\s)password\s*=`)

func holdsPassword(flag, value string) bool {
	if strings.HasSuffix(flag, "-token") || strings.HasSuffix(flag, "-secret") || strings.HasSuffix(flag, "-password") ||
		flag == "factor-key" {
		return value != ""
	}
	if u, err := url.Parse(value); err == nil && u.Scheme != "" {
		_, inUser := u.User.Password()
		return inUser || u.Query().Get("password") != ""
	}
	return keywordPassword.MatchString(value) || strings.Contains(value, "://") && strings.Contains(value, "@")
}
