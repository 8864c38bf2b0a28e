package main

import (
	"context"
	"fmt"
	"net"
	nethttp "net/http"
	"net/http/pprof"
	"time"
)

// serveProfiles answers /debug/pprof/ on an address of its own until ctx ends.
func serveProfiles(ctx context.Context, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("cannot listen on %s for profiles: %w", address, err)
	}
	if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		l.Close()
		return fmt.Errorf("profiles are for this machine only: --profile-addr %s is not a loopback address", address)
	}
	mux := nethttp.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	server := &nethttp.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() { _ = server.Serve(l) }()
	return nil
}
