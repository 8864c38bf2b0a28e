package sql

import "strings"

// sameText reports whether two definitions say the same: a dump that is restored
// writes "between" and several ORs in fewer parentheses than the first time. AND
// within AND and OR within OR lose theirs here; nothing else does.
func sameText(a, b string) bool { return a == b || flat(a) == flat(b) }

// flat writes a definition without the parentheses that change nothing.
func flat(text string) string {
	p := parens{rest: text}
	return p.group().text()
}

// piece is a part of a definition: some text, or a pair of parentheses.
type piece struct {
	word  string
	group *group
}

// group is what stands between two parentheses.
type group struct{ pieces []piece }

func (g *group) text() string {
	var out strings.Builder
	for i, p := range g.pieces {
		if i > 0 && (p.group == nil || isConnector(g.pieces[i-1].word)) {
			out.WriteByte(' ')
		}
		if p.group != nil {
			out.WriteString("(" + p.group.text() + ")")
			continue
		}
		out.WriteString(p.word)
	}
	return out.String()
}

func isConnector(word string) bool { return word == "AND" || word == "OR" }

// connector is the one word that joins the parts: AND or OR; else empty.
func (g *group) connector() string {
	one := ""
	for _, p := range g.pieces {
		if isConnector(p.word) {
			if one != "" && one != p.word {
				return ""
			}
			one = p.word
		}
	}
	return one
}

// flatten takes the parentheses off the operands that are joined as g is, and off
// a pair that has nothing but another pair with ANDs or ORs in it.
func (g *group) flatten() {
	if len(g.pieces) == 1 && g.pieces[0].group != nil && g.pieces[0].group.connector() != "" {
		g.pieces = g.pieces[0].group.pieces
	}
	joined := g.connector()
	var out []piece
	for i, p := range g.pieces {
		alone := (i == 0 || isConnector(g.pieces[i-1].word)) && (i == len(g.pieces)-1 || isConnector(g.pieces[i+1].word))
		if p.group != nil && alone && joined != "" && p.group.connector() == joined {
			out = append(out, p.group.pieces...)
			continue
		}
		out = append(out, p)
	}
	g.pieces = out
}

// parens reads a definition.
type parens struct{ rest string }

// group reads until the parenthesis that closes it, or the end.
func (p *parens) group() *group {
	g := &group{}
	for p.rest != "" {
		switch c := p.rest[0]; c {
		case ' ', '\n', '\t':
			p.rest = p.rest[1:]
		case '(':
			p.rest = p.rest[1:]
			g.pieces = append(g.pieces, piece{group: p.group()})
		case ')':
			p.rest = p.rest[1:]
			g.flatten()
			return g
		default:
			g.pieces = append(g.pieces, piece{word: p.word()})
		}
	}
	g.flatten()
	return g
}

// word reads up to a blank or a parenthesis; what is in quotes belongs to it.
func (p *parens) word() string {
	quote := byte(0)
	i := 0
	for ; i < len(p.rest); i++ {
		c := p.rest[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte(" \n\t()", c) >= 0:
			word := p.rest[:i]
			p.rest = p.rest[i:]
			return word
		}
	}
	word := p.rest
	p.rest = ""
	return word
}
