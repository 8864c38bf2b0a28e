// Package localpg runs a private PostgreSQL cluster from the server binaries
// that the machine already has: for `portal demo`, for development and for
// tests. It finds the binaries, makes the cluster, starts and stops the server
// and survives a crash of either side.
//
// It installs nothing, knows no schema and is no way to run a database that
// matters: who has a PostgreSQL server gives the portal that one's address.
//
// Who may connect: the unix socket lies in a directory of mode 0700 that
// belongs to the server's account, so only that account and root get through,
// without a password. Over TCP (127.0.0.1 only, and only if a port is asked
// for) the password in Dir/password is needed, which only its owner can read.
package localpg

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
)

// Superuser is the role that owns the cluster.
const Superuser = "postgres"

// MinVersion is the oldest major version of PostgreSQL that will do.
const MinVersion = 14

// ErrRunning is returned for a directory that a live process holds.
var ErrRunning = errors.New("already running")

// ErrPortTaken is returned when something else listens on Config.Port.
var ErrPortTaken = errors.New("port is taken")

// Config says where and how a server runs.
type Config struct {
	// Dir belongs to one server at a time: its data, log and password are kept
	// there. Made if missing; required. It keeps its data between runs until
	// Remove.
	//
	// If we are root and the server's account cannot get to Dir (it lies
	// under /root, say), the data is kept under /var/lib or the temporary
	// directory and the file Dir/data-directory says where.
	Dir string

	// Standby makes a cluster that is not there yet a streaming standby of
	// another server: this is the connection URL of that one's superuser, whose
	// local connections must be trusted, as those of servers from here are.
	// Settings must not be below the other's. It reads only until
	// pg_promote(). Default: a cluster of its own.
	Standby string

	// Port is the TCP port on 127.0.0.1. 0, the default, means the unix socket
	// only.
	Port int

	// User is the plain account that the server runs as when we are root,
	// since PostgreSQL refuses to run as root. Default: postgres if there is
	// such an account, else nobody. Data that exists already keeps running as
	// its owner. Ignored when we are not root.
	User string

	// Settings are added to the server's configuration and win over the
	// defaults here (wal_level=logical, max_connections=200) and over
	// postgresql.conf; they last for this run. The settings that say where
	// the server listens and keeps its files are refused.
	Settings map[string]string

	// Durable makes commits survive a power cut. The default, false, is
	// several times faster on a disk; even then a killed server loses
	// nothing, only a stopped machine may lose the cluster.
	Durable bool

	// LogFile takes the server's log of this run; the log of the run before is
	// kept beside it with the suffix ".1". Default: Dir/postgres.log.
	LogFile string
}

// reserved settings are how this package finds its own server again.
var reserved = []string{
	"listen_addresses", "port", "unix_socket_directories", "unix_socket_permissions",
	"data_directory", "hba_file", "external_pid_file", "logging_collector", "log_destination",
}

func (c Config) check() error {
	if c.Dir == "" {
		return errors.New("no directory given")
	}
	if c.Port < 0 || c.Port > 65535 {
		return fmt.Errorf("port %d is not between 0 and 65535", c.Port)
	}
	for _, name := range reserved {
		if _, ok := c.Settings[name]; ok {
			return fmt.Errorf("setting %s cannot be changed", name)
		}
	}
	return nil
}

func (c Config) logFile(dir string) string {
	if c.LogFile != "" {
		return c.LogFile
	}
	return filepath.Join(dir, "postgres.log")
}

// arguments is the server's command line. Settings go there rather than into a
// file so that nothing of an earlier run stays in force.
func (c Config) arguments(data, socket string, port int) []string {
	settings := map[string]string{
		"wal_level":       "logical",
		"max_connections": "200",
		"log_line_prefix": "%m [%p] %q%a@%d ",
	}
	if !c.Durable {
		// Not synchronous_commit=off: that would lose commits of a killed server.
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
	}
	maps.Copy(settings, c.Settings)
	settings["listen_addresses"] = ""
	if c.Port != 0 {
		settings["listen_addresses"] = "127.0.0.1"
	}
	settings["port"] = fmt.Sprint(port)
	settings["unix_socket_directories"] = socket
	settings["unix_socket_permissions"] = "0700"
	settings["logging_collector"] = "off"
	settings["log_destination"] = "stderr"

	args := []string{"-D", data}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}
