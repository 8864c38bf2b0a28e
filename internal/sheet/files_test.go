package sheet_test

import (
	"testing"
	"time"
)

// Files as customers send them, each with what a person reads in it. What is
// asked, a person could not tell either.
func TestFiles(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		// numbers of lines, pack sizes, money, dates
		{"line numbers", []byte("Line,SKU,Product name,Qty Ordered,UOM\n1,OIL5,Olive,6,EA\n2,CAN1010,Tom,24,EA\n"),
			"OIL5 6 EA; CAN1010 24 EA"},
		{"a title above", []byte("Purchase order 4711 of Cedar Diner\n\nLine,SKU,Product name,Qty " +
			"Ordered,UOM\n1,OIL5,Olive,6,EA\n2,CAN1010,Tom,24,EA\n"), "OIL5 6 EA; CAN1010 24 EA"},
		{"no head, two lines", []byte("1,OIL5,Olive,6,EA\n2,CAN1010,Tom,24,EA\n"), "asks quantity"},
		{"no head, five lines",
			[]byte("1,OIL5,Olive,6,EA\n2,CAN1010,Tom,24,EA\n3,BEV1012,Tea,2,EA\n4,RICE25,Rice,1,EA\n5,OIL5,Olive,3,CS\n"),
			"OIL5 6 EA; CAN1010 24 EA; BEV1012 2 EA; RICE25 1 EA; OIL5 3 CS"},
		{"xlsx with line numbers",
			xlsx(t, [][]any{{"Order"}, {"Cedar Diner"}, {}, {"Line", "SKU", "Product name", "Qty Ordered", "UOM"},
				{1, "OIL5", "Olive", 6, "EA"}, {2, "CAN1010", "Tom", 24, "EA"}}), "OIL5 6 EA; CAN1010 24 EA"},
		{"amount is money", []byte("Item No,Description,Amount,Qty\nBEV1012,Tea,36.00,12\n"), "BEV1012 12"},
		{"number is the item", []byte("Number;Description;Quantity\nBEV1012;Tea;12\n"), "BEV1012 12"},
		{"a pack size before", []byte("SKU;Pack size;Description;Cantidad\nOIL5;4;Olive;6\nRICE25;12x500ml;Rice;7\n"),
			"OIL5 6; RICE25 7"},
		{"a date as the quantity",
			xlsx(t, [][]any{{"S"}, {"Item", "Qty"}, {"OIL5", styled{45000, "yyyy-mm-dd"}}, {"RICE25", day}, {"BEEF", 2.5}}),
			"OIL5 2023-03-15 !; RICE25 2026-03-31 !; BEEF 2.5"},
		{"delivery dates beside", []byte("Artikelnummer;Liefertermin;Menge\nOIL5;31.03.2026;6\n"), "OIL5 6"},
		{"a price list", []byte("SKU,Description,Pack,Price\nOIL5,Olive,4,36.00\nRICE25,Rice,1,20.00\n"), "asks quantity"},
		{"a price list without head", []byte("OIL5,Olive,4,36.00\nRICE25,Rice,1,20.00\n"), "asks quantity"},
		{"stock beside", []byte("Item,Qty on hand,Qty ordered,Qty shipped\nOIL5,100,6,0\nRICE25,50,7,7\n"),
			"OIL5 6; RICE25 7"},
		{"two quantities", []byte("Item,Qty,Order qty\nOIL5,100,6\n"), "asks quantity"},
		{"amount alone", []byte("Item,Amount\nOIL5,6\nRICE25,12\n"), "OIL5 6; RICE25 12"},
		{"amount with decimals", []byte("Item,Amount\nOIL5,36.00\nRICE25,20.00\n"), "asks quantity"},
		{"money sign", []byte("Item;Qty\nOIL5;€ 36\nRICE25;5\n"), "OIL5 € 36 !; RICE25 5"},

		// decimal signs
		{"decimal commas", []byte("Item;Qty\nBEEF;1,250\nBEEF;2,5\n"), "BEEF 1.25; BEEF 2.5"},
		{"1,250 alone", []byte("Item;Qty\nBEEF;1,250\n"), "asks sign"},
		{"1.000 among semicolons", []byte("Item;Qty\nBEEF;1.000\n"), "asks sign"},
		{"thousands and a point", []byte("Item,Qty\nBEEF,\"1,200\"\nBEEF,\"3,400.5\"\n"), "BEEF 1200; BEEF 3400.5"},
		{"thousands and a comma", []byte("Item;Qty\nBEEF;1.234,5\nBEEF;1.000\n"), "BEEF 1234.5; BEEF 1000"},
		{"1,250 of what is sold whole", []byte("Item;Qty\nOIL5;1,250\nRICE25;3\n"), "OIL5 1250; RICE25 3"},
		{"1,000 of what is sold whole", []byte("Item;Qty\nOIL5;1,000\nRICE25;3\n"), "asks sign"},
		{"1,250 of an unknown item", []byte("Item;Qty\nOIL5;1,250\nNOPE;1,250\n"), "asks sign"},
		{"both signs", []byte("Item;Qty\nBEEF;2,5\nBEEF;2.5\n"), "asks sign"},
		{"an unquoted thousand", []byte("Item,Qty\nBEEF,1,250\nOIL5,6\n"), "BEEF 1 | 250 !; OIL5 6"},
		{"a spreadsheet's 11", []byte("Item,Qty\nOIL5,11.000000000000002\n"), "OIL5 11"},
		{"exact in a spreadsheet",
			xlsx(t, [][]any{{"S"}, {"Item", "Qty"}, {"BEEF", 1.25}, {"OIL5", 11.000000000000002}, {"RICE25", 1000}}),
			"BEEF 1.25; OIL5 11; RICE25 1000"},

		// units
		{"units beside numbers", []byte("Item,Qty\nOIL5,1 CS\nRICE25,12 EA\nBEV1012,2 BX\nCAN1010,12EA\nBEEF,3 x\n"),
			"OIL5 1 CS; RICE25 12 EA; BEV1012 2 BX; CAN1010 12 EA; BEEF 3"},
		{"two units", []byte("Item,Qty,UOM\nOIL5,1 CS,EA\nRICE25,12 EA,EA\n"), "OIL5 1 CS EA !; RICE25 12 EA"},
		{"a unit in the head", []byte("SKU;Qty CS\nOIL5;2\n"), "OIL5 2 CS"},
		{"cases", []byte("SKU;Cases\nOIL5;2\n"), "asks unit"},

		// languages
		{"German", []byte("Artikel-Nr.;Bezeichnung;Menge;ME\nOIL5;Öl;6;EA\nRICE25;Reis;12;EA\nSumme;;18;\n"),
			"OIL5 6 EA; RICE25 12 EA"},
		{"French", []byte("Référence;Désignation;Qté;Unité;P.U.;Montant\nOIL5;Huile;6;EA;27,00;162,00\n"), "OIL5 6 EA"},
		{"Spanish", []byte("Código;Descripción;Cantidad\nOIL5;Aceite;6\n"), "OIL5 6"},
		{"Polish", []byte("Lp.;Indeks;Nazwa;Ilość;J.m.;Cena netto\n1;OIL5;Oliwa;6;EA;12,00\n2;RICE25;Ryż;3;EA;4,00\n"),
			"OIL5 6 EA; RICE25 3 EA"},
		{"Greek", []byte("Κωδικός;Περιγραφή;Ποσότητα\nOIL5;Λάδι;6\n"), "OIL5 6"},
		{"Swedish", []byte("Art.nr\tBenämning\tAntal\tEnhet\nOIL5\tOlja\t6\tEA\n"), "OIL5 6 EA"},
		{"an unknown language", []byte("Kode,Nama,Jumlah\nOIL5,Minyak,6\n"), "asks quantity"},
		{"SKU #", []byte("SKU #,Qty\nOIL5,6\n"), "OIL5 6"},

		// codes
		{"the template", []byte("\ufeffItem number,Description,Unit,Quantity\n'-10X,Ten,EA,4\nOIL5,Olive,EA,\n"),
			"-10X 4 EA"},
		{"text as a formula", []byte("Item,Qty\n=\"BEV1012\",5\n"), "BEV1012 5"},
		{"a barcode as a number", xlsx(t, [][]any{{"S"}, {"EAN", "Qty"}, {8410200018880, 5}}), "8410200018880 5"},
		{"code and barcode of a case", []byte("SKU,EAN,Qty\nOIL5,4006381333931,2\n"), "asks item"},
		{"code and barcode", []byte("SKU,EAN,Qty\nBEV1012,8410200018880,2\n"), "BEV1012 2"},

		// spreadsheets
		{"the sheet with items", xlsx(t, [][]any{{"Read me"}, {"Fill in the sheet Order"}, {"Phone", 5551234}},
			[][]any{{"-Old"}, {"SKU", "Qty"}, {"RICE25", 9}}, [][]any{{"Order"}, {"SKU", "Qty"}, {"OIL5", 6}}), "OIL5 6"},
		{"a hidden sheet alone", xlsx(t, [][]any{{"Read me"}, {"Fill in the sheet Order"}},
			[][]any{{"-Old"}, {"SKU", "Qty"}, {"RICE25", 9}}), "RICE25 9"},
		{"two orders", xlsx(t, [][]any{{"Monday"}, {"SKU", "Qty"}, {"OIL5", 6}},
			[][]any{{"Friday"}, {"SKU", "Qty"}, {"RICE25", 9}}), "asks sheet"},
		{"a formula without a result", xlsx(t, [][]any{{"S"}, {"SKU", "Qty"}, {"OIL5", "=2*3"}, {"RICE25", 2}}),
			"OIL5 !; RICE25 2"},
		{"a unit in the format",
			xlsx(t, [][]any{{"S"}, {"SKU", "Qty"}, {"OIL5", styled{2, `0" CS"`}}, {"BEEF", styled{1.25, `0.00\ \l\b`}},
				{"RICE25", styled{3, `#,##0 "per pallet"`}}, {"OIL5", styled{4, `"ca. "0`}}}),
			"OIL5 2 CS; BEEF 1.25 LB; RICE25 3 per pallet !; OIL5 ca. 4 !"},
		{"money in the format",
			xlsx(t, [][]any{{"S"}, {"SKU", "Qty"}, {"OIL5", styled{2, `0.00" €"`}}, {"OIL5", styled{2, `"EUR "0`}},
				{"RICE25", 4}}), "OIL5 2 !; OIL5 2 !; RICE25 4"},
		{"shown otherwise", xlsx(t, [][]any{{"S"}, {"SKU", "Qty"}, {"BEEF", styled{2.5, `0`}},
			{"BEEF", styled{3.25, `#,##0.0`}}, {"OIL5", styled{12500, `#,##0,`}},
			{"BEEF", styled{2.5, `# ?/?`}}, {"RICE25", styled{12, `0.00`}}}),
			"BEEF 2.5 !; BEEF 3.25 !; OIL5 12500 !; BEEF 2.5; RICE25 12"},
		{"the head alone", []byte("SKU,Qty\n"), ""},
		{"words for quantities", []byte("SKU,Qty\nOIL5,six\nRICE25,-3\nBEEF,#REF!\n"),
			"OIL5 six !; RICE25 -3 !; BEEF #REF! !"},
		{"the head on every page", []byte("SKU,Qty\nOIL5,6\nSKU,Qty\nRICE25,3\n"), "OIL5 6; RICE25 3"},
	} {
		if got := reading(file(c.file)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
