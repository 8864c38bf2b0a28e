package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// longestToken is how many bytes a tag or a run of text may have. Excel's
// longest cell has 32,767 letters.
const longestToken = 128 << 10

var (
	errTooLong   = errors.New("a cell of it holds more text than any order needs")
	errTooMuch   = errors.New("it holds far more than an order; save the sheet with the items alone")
	errBrokenXML = errors.New("it is broken")
)

// xmlScanner reads the XML of a spreadsheet: tags and the text between them,
// without building anything. It holds one token at a time, of bounded length,
// and allocates nothing for those that nobody asks for; encoding/xml would
// gather a cell of 50 MB before anybody could refuse it. It knows what these
// files use: no document types, and so no entities but the five and numbers.
type xmlScanner struct {
	r     *bufio.Reader
	local []byte // the tag's name without its prefix
	attrs []byte
	open  bool // a tag that begins an element
	shut  bool // a tag that ends one; both for <c/>
	text  []byte
	held  []byte // a tag longer than the buffer's rest
}

func newXMLScanner(r io.Reader) *xmlScanner {
	return &xmlScanner{r: bufio.NewReaderSize(r, longestToken)}
}

// next goes to the next tag; text is what stood before it. It returns io.EOF at
// the end. What a scanner shows is good until the next call.
func (x *xmlScanner) next(wantText bool) error {
	x.text = x.text[:0]
	for {
		before, err := x.r.ReadSlice('<')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return errTooLong
		case errors.Is(err, io.EOF):
			return io.EOF
		case err != nil:
			return broken(err)
		}
		if wantText {
			if err := x.keep(before[:len(before)-1]); err != nil {
				return err
			}
		}
		mark, err := x.r.Peek(3)
		if err != nil && len(mark) == 0 {
			return errBrokenXML
		}
		switch {
		case bytes.HasPrefix(mark, []byte("!--")):
			err = x.skip("-->", nil)
		case bytes.HasPrefix(mark, []byte("![")):
			if _, err = x.r.Discard(len("![CDATA[")); err == nil {
				err = x.skip("]]>", func(b []byte) {
					if wantText && len(x.text)+len(b) <= longestToken {
						x.text = append(x.text, b...)
					}
				})
			}
		case bytes.HasPrefix(mark, []byte("!")):
			return errBrokenXML // a document type: no spreadsheet writes one
		case bytes.HasPrefix(mark, []byte("?")):
			err = x.skip("?>", nil)
		default:
			return x.tag()
		}
		if err != nil {
			return broken(err)
		}
	}
}

// broken keeps what is said of a limit, and says of all else that the file is
// broken.
func broken(err error) error {
	if errors.Is(err, errTooMuch) || errors.Is(err, errTooLong) {
		return err
	}
	return errBrokenXML
}

// skip passes over what ends with a mark, and gives it to take.
func (x *xmlScanner) skip(mark string, take func([]byte)) error {
	for {
		part, err := x.r.ReadSlice('>')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if bytes.HasSuffix(part, []byte(mark)) {
			if take != nil {
				take(part[:len(part)-len(mark)])
			}
			return nil
		}
		if take != nil {
			take(part)
		}
	}
}

// tag reads a tag up to its >, which may also stand inside of an attribute.
func (x *xmlScanner) tag() error {
	x.held = x.held[:0]
	tag, err := x.r.ReadSlice('>')
	for err == nil && (bytes.Count(tag, []byte{'"'})%2 == 1 || bytes.Count(tag, []byte{'\''})%2 == 1 &&
		bytes.IndexByte(tag, '"') < 0) {
		if len(x.held) == 0 {
			x.held = append(x.held, tag...)
		}
		var more []byte
		more, err = x.r.ReadSlice('>')
		x.held = append(x.held, more...)
		if len(x.held) > longestToken {
			return errTooLong
		}
		tag = x.held
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		return errTooLong
	}
	if err != nil {
		return broken(err)
	}
	tag = tag[:len(tag)-1]
	x.open, x.shut = true, false
	if rest, ok := bytes.CutPrefix(tag, []byte("/")); ok {
		x.open, x.shut, tag = false, true, rest
	} else if rest, ok := bytes.CutSuffix(tag, []byte("/")); ok {
		x.shut, tag = true, rest
	}
	name, attrs := tag, []byte(nil)
	if i := bytes.IndexAny(tag, " \t\r\n"); i >= 0 {
		name, attrs = tag[:i], tag[i:]
	}
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	x.local, x.attrs = name, attrs
	return nil
}

// is reports whether the tag is of an element.
func (x *xmlScanner) is(name string) bool { return string(x.local) == name }

// attr is an attribute by its name without the prefix, "" where there is none.
func (x *xmlScanner) attr(name string) string {
	rest := x.attrs
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n")
		eq := bytes.IndexByte(rest, '=')
		if eq < 0 {
			return ""
		}
		key := bytes.TrimRight(rest[:eq], " \t\r\n")
		rest = bytes.TrimLeft(rest[eq+1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return ""
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return ""
		}
		if i := bytes.IndexByte(key, ':'); i >= 0 {
			key = key[i+1:]
		}
		if string(key) == name {
			return string(unescape(nil, rest[1:1+end]))
		}
		rest = rest[end+2:]
	}
}

func (x *xmlScanner) keep(b []byte) error {
	if len(x.text)+len(b) > longestToken {
		return errTooLong
	}
	x.text = unescape(x.text, b)
	return nil
}

// unescape appends text with &amp; and its like as what they stand for.
func unescape(out, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '&')
		if i < 0 {
			return append(out, b...)
		}
		out = append(out, b[:i]...)
		b = b[i+1:]
		end := bytes.IndexByte(b[:min(len(b), 12)], ';')
		if end < 0 {
			out = append(out, '&')
			continue
		}
		switch name := string(b[:end]); {
		case name == "amp":
			out = append(out, '&')
		case name == "lt":
			out = append(out, '<')
		case name == "gt":
			out = append(out, '>')
		case name == "quot":
			out = append(out, '"')
		case name == "apos":
			out = append(out, '\'')
		case strings.HasPrefix(name, "#"):
			base, digits := 10, name[1:]
			if rest, hex := strings.CutPrefix(digits, "x"); hex {
				base, digits = 16, rest
			}
			if n, err := strconv.ParseInt(digits, base, 32); err == nil && utf8.ValidRune(rune(n)) {
				out = utf8.AppendRune(out, rune(n))
			}
		default:
			out = append(append(append(out, '&'), b[:end]...), ';')
		}
		b = b[end+1:]
	}
}
