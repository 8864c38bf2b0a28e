package sql

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"portal.example/portal"
)

// FactorKeys seal the secrets of authenticator apps. The first seals; all open, so that
// a key can be followed by another.
type FactorKeys []cipher.AEAD

// ParseFactorKeys reads the setting: 32 bytes in base64, several with commas between.
// An empty one gives no keys.
func ParseFactorKeys(setting string) (FactorKeys, error) {
	var keys FactorKeys
	for part := range strings.SplitSeq(setting, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(part)
		if err != nil || len(raw) != 32 {
			return nil, errors.New("the factor key must be 32 bytes in base64, as `openssl rand -base64 32` makes them")
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, fmt.Errorf("factor key: %w", err)
		}
		key, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("factor key: %w", err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// seal hides a secret so that it opens for its log-in only.
func (k FactorKeys) seal(login portal.LoginID, secret string) ([]byte, error) {
	if len(k) == 0 {
		return nil, errNoFactorKey
	}
	nonce := make([]byte, k[0].NonceSize())
	_, _ = rand.Read(nonce) // never fails: see crypto/rand
	return k[0].Seal(nonce, nonce, []byte(secret), ofLogin(login)), nil
}

// open is the secret that was sealed.
func (k FactorKeys) open(login portal.LoginID, sealed []byte) (string, error) {
	for _, key := range k {
		if len(sealed) < key.NonceSize() {
			break
		}
		if secret, err := key.Open(nil, sealed[:key.NonceSize()], sealed[key.NonceSize():], ofLogin(login)); err == nil {
			return string(secret), nil
		}
	}
	return "", fmt.Errorf("no factor key opens the app of login %d: was PORTAL_FACTOR_KEY changed?", login)
}

func ofLogin(login portal.LoginID) []byte { return []byte(fmt.Sprint("app of login ", login)) }

var errNoFactorKey = portal.Errorf(portal.CodeConflict, "Authenticator apps are not offered here: use a passkey.")
