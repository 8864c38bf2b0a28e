package sql

// What a search is made of, for the tests that have PostgreSQL read it.
var (
	CleanQuery  = cleanQuery
	Terms       = terms
	Beginnings  = beginnings
	WholeWords  = wholeWords
	LeadWord    = leadWord
	Spellings   = spellings
	SpellingFor = spelling
	LikePrefix  = likePrefix
)
