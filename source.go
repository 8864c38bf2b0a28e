package portal

import (
	"fmt"
	"net/netip"
	"strings"
)

// A source is where requests come from, as it is counted and kept: an IPv4
// address, or the /64 network of an IPv6 address, which is the least that one
// household or server has. It is always made of a parsed address, so nothing
// that a client writes is ever kept as it came.

// SourceOf is the source of an address: "192.0.2.7", "2001:db8:1:2::/64". An
// IPv4 address inside of IPv6 is IPv4. The zero Addr gives "unknown".
func SourceOf(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	switch {
	case !address.IsValid():
		return "unknown"
	case address.Is4():
		return address.String()
	}
	network, _ := address.Prefix(64) // an IPv6 address has one
	return network.String()
}

// ParseAddress reads an address as connections and proxies write it: with or
// without a port, IPv6 with or without brackets. The zero Addr where it is none.
func ParseAddress(text string) netip.Addr {
	text = strings.TrimSpace(text)
	if with, err := netip.ParseAddrPort(text); err == nil {
		return with.Addr().Unmap().WithZone("")
	}
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return address.Unmap().WithZone("")
}

// Networks are addresses of which something holds. None holds for the zero value.
type Networks []netip.Prefix

// ParseNetworks reads networks in CIDR notation and single addresses, of IPv4
// and IPv6: "10.0.0.0/8", "::1". The error names what cannot be read.
func ParseNetworks(texts []string) (Networks, error) {
	var out Networks
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if address := ParseAddress(text); address.IsValid() {
			out = append(out, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%q is no network: write 10.0.0.0/8, 2001:db8::/32 or a single address", text)
		}
		out = append(out, network.Masked())
	}
	return out, nil
}

// Contain reports whether an address lies in one of the networks.
func (n Networks) Contain(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	for _, network := range n {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// ClientAddress is who a request comes from: the peer of its connection, or,
// where that is a trusted proxy, what the proxies wrote into X-Forwarded-For. Its
// last element that no trusted proxy has is the client; whatever stands before
// that, the client has written itself.
func (n Networks) ClientAddress(peer netip.Addr, forwarded []string) netip.Addr {
	if !n.Contain(peer) {
		return peer
	}
	parts := strings.Split(strings.Join(forwarded, ","), ",")
	client := peer
	for i := len(parts) - 1; i >= 0; i-- {
		address := ParseAddress(parts[i])
		if !address.IsValid() {
			break // what a trusted proxy cannot have written says nothing
		}
		client = address
		if !n.Contain(address) {
			break
		}
	}
	return client
}
