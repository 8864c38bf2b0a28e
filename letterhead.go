package portal

// Letterhead is the distributor as papers and mails show it: its name, accent
// colour and where it is reached. A plain value from the brand file.
type Letterhead struct {
	Name      string
	ShortName string
	Accent    string // "#rrggbb", to be used on white
	OnAccent  string // "#rrggbb", readable on the accent
	Phone     string // the order desk's; may be empty
	Email     string // the order desk's; may be empty
	Footer    string // one line with name and address
	Logo      []byte // SVG, PNG or JPEG, for papers; may be empty
}
