package sheet

// Choice is a file with the sheets that may be meant.
type Choice struct {
	Studies []*Study // the one to take first
	Others  []string // names of sheets with orders that were not read
	Doubt   bool     // several sheets hold orders
}

// Choose studies the sheets of a book and takes the one that holds an order:
// rows with an item and a quantity. Hidden sheets come last.
func Choose(b *Book, maxRows int, lookup Lookup) (*Choice, error) {
	if b.size == 1 {
		s, err := b.study(0, maxRows, lookup)
		if err != nil {
			return nil, err
		}
		return &Choice{Studies: []*Study{s}}, nil
	}
	orders, items, hidden, any := []int{}, -1, -1, -1
	for i := range b.size {
		t, err := b.Table(i, sampleRows)
		if err != nil {
			return nil, err
		}
		s, err := NewStudy(t, lookup)
		if err != nil {
			return nil, err
		}
		lines, found := s.orderLines()
		switch {
		case len(t.Rows) == 0:
		case lines > 0 && !t.Hidden:
			orders = append(orders, i)
		case found && !t.Hidden && items < 0:
			items = i
		case lines > 0 && hidden < 0:
			hidden = i
		}
		if len(t.Rows) > 0 && (any < 0 || b.xlsx.sheets[any].hidden && !t.Hidden) {
			any = i
		}
	}
	if len(orders) == 0 {
		for _, i := range []int{items, hidden, any} {
			if i >= 0 && len(orders) == 0 {
				orders = []int{i}
			}
		}
	}
	if len(orders) == 0 {
		return nil, ErrEmpty
	}
	c := &Choice{Doubt: len(orders) > 1}
	b.xlsx.cells = maxCells
	for n, i := range orders {
		if n == maxReadings {
			c.Others = append(c.Others, b.xlsx.sheets[i].name)
			continue
		}
		s, err := b.study(i, maxRows, lookup)
		if err != nil {
			return nil, err
		}
		c.Studies = append(c.Studies, s)
	}
	return c, nil
}

func (b *Book) study(n, maxRows int, lookup Lookup) (*Study, error) {
	t, err := b.Table(n, maxRows)
	if err != nil {
		return nil, err
	}
	if len(t.Rows) == 0 {
		return nil, ErrEmpty
	}
	return NewStudy(t, lookup)
}

// orderLines counts rows of the sample with an item and a quantity; found says
// that there are items at all.
func (s *Study) orderLines() (lines int, found bool) {
	for _, row := range s.Rows[s.start:] {
		here, number := false, false
		for i, c := range row.Cells {
			if s.found[c.Text].Item != "" {
				here = true
				continue
			}
			a, ok := numberOf(c)
			p := s.profiles[i]
			number = number || ok && countable(a) && (len(p.meanings) == 0 || p.means(quantity) || p.means(count))
		}
		found = found || here
		if here && number {
			lines++
		}
	}
	return lines, found
}
