package main

import (
	"fmt"
	"net/mail"
	"net/url"
)

// contactURI is a contact as security.txt wants it: an address, or a page.
func contactURI(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if u, err := url.Parse(s); err == nil &&
		(u.Scheme == "https" && u.Host != "" || u.Scheme == "mailto" && u.Opaque != "") {
		return s, nil
	}
	if a, err := mail.ParseAddress(s); err == nil && a.Name == "" {
		return "mailto:" + a.Address, nil
	}
	return "", fmt.Errorf("--security-contact: write an e-mail address, or a page that begins with https://")
}
