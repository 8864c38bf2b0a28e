package sql

import (
	"encoding/base64"
	"errors"
	"strconv"

	"golang.org/x/crypto/blowfish" //nolint:staticcheck // deprecated for new ciphers; bcrypt is made of it
)

// bcrypt's own base64: another alphabet, without padding.
var bcryptBase64 = base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(
	base64.NoPadding)

// saltLength is how much of a bcrypt hash says how to compute it: "$2a$12$" and
// 22 characters of salt.
const saltLength = 29

var errSalt = errors.New("not the beginning of a bcrypt hash")

// bcryptHash computes the hash of a password that begins with salt, as the first
// 29 characters of a hash do. golang.org/x/crypto/bcrypt compares with a whole hash
// only, and that stays in the database.
func bcryptHash(salt, password string) (string, error) {
	if len(salt) != saltLength || salt[0] != '$' || salt[1] != '2' || salt[3] != '$' || salt[6] != '$' {
		return "", errSalt
	}
	cost, err := strconv.Atoi(salt[4:6])
	if err != nil || cost < 4 || cost > 31 {
		return "", errSalt
	}
	raw, err := bcryptBase64.DecodeString(salt[7:])
	if err != nil {
		return "", errSalt
	}
	key := append([]byte(password), 0) // with the end of a C string
	c, err := blowfish.NewSaltedCipher(key, raw)
	if err != nil {
		return "", err
	}
	for range uint64(1) << cost {
		blowfish.ExpandKey(key, c)
		blowfish.ExpandKey(raw, c)
	}
	sum := []byte("OrpheanBeholderScryDoubt")
	for i := 0; i < len(sum); i += blowfish.BlockSize {
		for range 64 {
			c.Encrypt(sum[i:], sum[i:])
		}
	}
	return salt + bcryptBase64.EncodeToString(sum[:len(sum)-1]), nil
}
