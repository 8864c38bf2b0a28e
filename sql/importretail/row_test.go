package importretail

import (
	"math/big"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var inOrder = header{0, 1, 2, 3, 4, 5, 6, 7}

func TestParseRow(t *testing.T) {
	t.Parallel()
	r,
		err := inOrder.parse(
		`c489449, 85123a ,"WHITE HANGING ""HEART"", LARGE ",-12,2009-12-01 10:33:00,2.950,16321.0,Australia`)
	if err != nil {
		t.Fatal(err)
	}
	if r.document != "C489449" || r.code != "85123A" || r.description != `WHITE HANGING "HEART", LARGE` ||
		r.quantity != -12 ||
		r.customer != "16321" || r.country != "Australia" || r.at.Format("2006-01-02 15:04") != "2009-12-01 10:33" {
		t.Errorf("%+v", r)
	}
	if r.price.Int.Int64() != 295 || r.price.Exp != -2 {
		t.Errorf("price %v e%d", r.price.Int, r.price.Exp)
	}
}

func TestParseRowRefuses(t *testing.T) {
	t.Parallel()
	for line, reason := range map[string]string{
		`1,A,d,1,2010-01-01 08:00:00,1.00,1`:              "7 columns where 8 are expected",
		`1,A,d,1,2010-01-01 08:00:00,1.00,1,UK,more`:      "9 columns where 8 are expected",
		`1,A,"d,1,2010-01-01 08:00:00,1.00,1,UK`:          "a quote is left open or stands inside a field",
		`1,A,d "x",1,2010-01-01 08:00:00,1.00,1,UK`:       "a quote is left open or stands inside a field",
		`,A,d,1,2010-01-01 08:00:00,1.00,1,UK`:            `document number "" is not digits, with or without C or A before them`,
		`B12,A,d,1,2010-01-01 08:00:00,1.00,1,UK`:         `document number "B12" is not digits, with or without C or A before them`,
		`1,  ,d,1,2010-01-01 08:00:00,1.00,1,UK`:          "no stock code",
		`1,A,d,1.5,2010-01-01 08:00:00,1.00,1,UK`:         `quantity "1.5" is not a whole number`,
		`1,A,d,,2010-01-01 08:00:00,1.00,1,UK`:            `quantity "" is not a whole number`,
		`1,A,d,99999999999,2010-01-01 08:00:00,1.00,1,UK`: `quantity "99999999999" is not a whole number`,
		`1,A,d,1,2010-02-30 08:00:00,1.00,1,UK`:           `date "2010-02-30 08:00:00" is not of the form 2010-12-31 23:59:00`,
		`1,A,d,1,01/02/2010,1.00,1,UK`:                    `date "01/02/2010" is not of the form 2010-12-31 23:59:00`,
		`1,A,d,1,2010-01-01 08:00:00,1e3,1,UK`:            `price "1e3" is not a decimal number`,
		`1,A,d,1,2010-01-01 08:00:00,,1,UK`:               `price "" is not a decimal number`,
		`1,A,d,1,2010-01-01 08:00:00,NaN,1,UK`:            `price "NaN" is not a decimal number`,
		`1,A,d,1,2010-01-01 08:00:00,0.33333,1,UK`:        `price "0.33333" has more than four decimals`,
		`1,A,d,1,2010-01-01 08:00:00,1.00,anna,UK`:        `customer number "anna" is not digits`,
		"1,A,\xff,1,2010-01-01 08:00:00,1.00,1,UK":        "not UTF-8 text",
		"1,A,\x00,1,2010-01-01 08:00:00,1.00,1,UK":        "not UTF-8 text",
	} {
		if _, err := inOrder.parse(line); err == nil || err.Error() != reason {
			t.Errorf("%q: %v, want %s", line, err, reason)
		}
	}
}

func TestParseHeader(t *testing.T) {
	t.Parallel()
	h, older, err := parseHeader("\ufeffCountry,invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID")
	if err != nil || older || h != (header{1, 2, 3, 4, 5, 6, 7, 0}) {
		t.Errorf("%v %v %v", h, older, err)
	}
	if h, older,
		err = parseHeader("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"); err != nil ||
		!older || h != inOrder {
		t.Errorf("%v %v %v", h, older, err)
	}
	if _, _, err = parseHeader("Invoice,StockCode,Description,Quantity,Price,Customer ID,Country"); err == nil ||
		!strings.Contains(err.Error(), "InvoiceDate") {
		t.Errorf("a header without a date: %v", err)
	}
}

// What is accepted fits the columns it goes to, exactly as written.
func FuzzParseRow(f *testing.F) {
	f.Add(`489434,85048,15CM CHRISTMAS GLASS BALL 20 LIGHTS,12,2009-12-01 07:45:00,6.95,13085,United Kingdom`)
	f.Add(`489434,22041,"RECORD FRAME 7"" SINGLE SIZE ",48,2009-12-01 07:45:00,2.1,13085,United Kingdom`)
	f.Add(`A506401,B,Adjust bad debt,1,2010-04-29 13:36:00,-53594.36,,United Kingdom`)
	f.Add(`C496350,M,Manual,1,2010-02-01 08:24:00,373.57,,United Kingdom`)
	f.Add(`1,PADS,PADS TO MATCH ALL CUSHIONS,1,2010-02-01 08:24:00,0.001,,EIRE`)
	document := regexp.MustCompile(`^[CA]?[0-9]+$`)
	f.Fuzz(func(t *testing.T, line string) {
		r, err := inOrder.parse(line)
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a reason")
			}
			return
		}
		if !document.MatchString(r.document) || r.code == "" || r.code != strings.TrimSpace(strings.ToUpper(r.code)) {
			t.Errorf("document %q, code %q", r.document, r.code)
		}
		for _, s := range []string{r.code, r.description, r.country} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Errorf("text %q", s)
			}
		}
		fields, _ := split(line)
		written, ok := new(big.Rat).SetString(strings.TrimSpace(fields[5]))
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-r.price.Exp)), nil)
		if !ok || written.Cmp(new(big.Rat).SetFrac(r.price.Int, scale)) != 0 || r.price.Exp < -4 {
			t.Errorf("price %q became %v e%d", fields[5], r.price.Int, r.price.Exp)
		}
	})
}
