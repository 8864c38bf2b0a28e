package shop

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"portal.example/portal"
	"portal.example/portal/http/page"
	"portal.example/portal/internal/photo"
)

// mayReturn refuses to ask for returns whom the account or the role does not
// let, before a body is read. The database refuses as well.
func mayReturn(q *page.Request) error {
	if err := mayInvoices(q); err != nil {
		return err
	}
	if !q.Frame.Access.CanReturn {
		return portal.Errorf(portal.CodeForbidden, "Returns are not open for your account here. Please call us.")
	}
	return nil
}

// returnPage is the form of a new request.
type returnPage struct {
	portal.ReturnForm
	page.FormErrors
	Key    string        `json:"key"`
	Typed  returnTyped   `json:"-"`
	Access portal.Access `json:"-"`
}

// returnTyped is what stands in the form.
type returnTyped struct {
	Note               string
	qtys, reasons, why map[int]string
}

// QtyOf, ReasonOf and WhyOf are what stands in the fields of a line.
func (p returnPage) QtyOf(line int) string {
	if typed, ok := p.Typed.qtys[line]; ok {
		return typed
	}
	return "0"
}

// ReasonOf is described at QtyOf.
func (p returnPage) ReasonOf(line int) string { return p.Typed.reasons[line] }

// WhyOf is described at QtyOf.
func (p returnPage) WhyOf(line int) string { return p.Typed.why[line] }

// Idle reports whether nothing was said about a line yet.
func (p returnPage) Idle(line int) bool {
	qty := p.Typed.qtys[line]
	return (qty == "" || qty == "0") && p.Typed.reasons[line] == "" && p.Typed.why[line] == "" &&
		!slices.ContainsFunc(p.Fields, func(f portal.FieldError) bool { return f.Line == line })
}

// LateReasons are the names of those whose time is over.
func (p returnPage) LateReasons() []string {
	var out []string
	for _, r := range p.Reasons {
		if r.Late {
			out = append(out, r.Name)
		}
	}
	return out
}

// PhotosLeft is how many photos can still be chosen.
func (p returnPage) PhotosLeft() int { return portal.MaxReturnPhotos - len(p.Photos) }

// isKey matches what NewKey makes.
var isKey = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// returnForm is the form for the invoice of ?invoice=; ?line= is the line that
// it was opened for.
func (c *Counter) returnForm(q *page.Request) error {
	if err := mayReturn(q); err != nil {
		return err
	}
	v := q.URL.Query()
	if strings.TrimSpace(v.Get("invoice")) == "" {
		if page.WantsJSON(q.Request) {
			return portal.Invalid("invoice", "Of which invoice?")
		}
		return q.Done("/invoices", "Choose the invoice whose items you want to return")
	}
	typed := returnTyped{qtys: map[int]string{}}
	if line, err := strconv.Atoi(v.Get("line")); err == nil {
		typed.qtys[line] = "1"
	}
	return c.returnPage(q, v.Get("invoice"), page.NewKey(), typed, nil)
}

func (c *Counter) returnPage(q *page.Request, invoiceNo, key string, typed returnTyped, refused error) error {
	form, err := c.Credits.ReturnForm(q.Context(), q.Who, strings.TrimSpace(invoiceNo), key)
	if err != nil {
		return err
	}
	return c.Page(q, page.Status(refused), "shop/return_new", "Return items of invoice "+form.InvoiceNo,
		"returns", returnPage{ReturnForm: form,
			FormErrors: page.FormErrorsOf(refused), Key: key, Typed: typed, Access: q.Frame.Access})
}

// MakeReturn sends a request: fields invoice, key, note, and for each invoice
// line qty_<line>, reason_<line>, text_<line>; files photos, and drop_photo_<id>
// of photos kept from the last try that are not wanted. Photos that are good are
// kept whatever becomes of the rest.
func (c *Counter) MakeReturn(q *page.Request) error {
	if !q.IsNew("request_no") {
		return portal.Errorf(portal.CodeNotFound, "There is no such page.")
	}
	if err := mayReturn(q); err != nil {
		return err
	}
	photos, refused, err := readPhotos(q)
	if err != nil {
		// The browser knows what was typed
		if invoiceNo := q.URL.Query().Get("invoice"); page.ShownOnPage(q, err) && invoiceNo != "" {
			return c.returnPage(q, invoiceNo, page.NewKey(), returnTyped{}, err)
		}
		return err
	}
	invoiceNo := strings.TrimSpace(q.PostForm.Get("invoice"))
	if invoiceNo == "" {
		invoiceNo = strings.TrimSpace(q.URL.Query().Get("invoice"))
	}
	key := strings.ToLower(q.PostForm.Get("key"))
	if !isKey.MatchString(key) {
		key = page.NewKey()
	}
	in := portal.NewReturn{Key: key, InvoiceNo: invoiceNo}
	typed, wrong := readReturn(q.PostForm, &in)

	if drop := droppedPhotos(q.PostForm); len(drop) > 0 {
		if err := c.Credits.DropPhotos(q.Context(), q.Who, key, drop); err != nil {
			return err
		}
	}
	for _, p := range photos {
		if err := c.Credits.AddPhoto(q.Context(), q.Who, key, p); err != nil {
			if portal.ErrorCode(err) != portal.CodeInvalid {
				return err
			}
			refused = err
		}
	}
	err = refused
	requestNo := ""
	switch {
	case wrong != nil && err == nil:
		err = wrong
	case err == nil:
		requestNo, err = c.Credits.RequestReturn(q.Context(), q.Who, in)
	}
	switch {
	case err == nil && page.WantsJSON(q.Request):
		return page.WriteJSON(q.W, http.StatusOK,
			map[string]any{"ok": true, "request_no": requestNo, "message": "Request " + requestNo + " sent"})
	case err == nil:
		return q.Done(returnPath(requestNo), "Request "+requestNo+" sent")
	case page.ShownOnPage(q, err):
		return c.returnPage(q, invoiceNo, key, typed, err)
	}
	return err
}

// readReturn reads the lines and the note of the form. Lines of which nothing
// is said are left out.
func readReturn(form url.Values, in *portal.NewReturn) (returnTyped, error) {
	typed := returnTyped{Note: form.Get("note"), qtys: map[int]string{}, reasons: map[int]string{}, why: map[int]string{}}
	lines := map[int]bool{}
	for name, values := range form {
		for prefix, into := range map[string]map[int]string{"qty_": typed.qtys, "reason_": typed.reasons,
			"text_": typed.why} {
			number, is := strings.CutPrefix(name, prefix)
			line, err := strconv.Atoi(number)
			if !is || err != nil || line < 1 || line > 1_000_000 {
				continue
			}
			into[line] = strings.TrimSpace(values[0])
			lines[line] = true
		}
	}
	in.Note = strings.TrimSpace(typed.Note)
	wrong := &portal.Error{Code: portal.CodeInvalid, Message: "The request was not sent: look at what is marked."}
	if len([]rune(in.Note)) > portal.MaxReturnNote {
		wrong.Fields = append(wrong.Fields, portal.FieldError{Field: "note", Message: "Say it in 1,000 letters."})
	}
	for line := range lines {
		qty, text := typed.qtys[line], typed.why[line]
		read := portal.ReadQty(qty)
		if (read.Text == "" || read.Zero()) && typed.reasons[line] == "" && text == "" {
			continue
		}
		l := portal.NewReturnLine{LineNo: line, ReasonCode: typed.reasons[line], Note: text}
		if n, problem := read.Number(); problem == "" {
			l.Qty = &n
		} else if read.Text != "" && !read.Zero() && problem != portal.QtyAsk {
			wrong.Fields = append(wrong.Fields, portal.FieldError{Field: "qty", Line: line, Message: problem})
		}
		if len([]rune(text)) > portal.MaxReturnNote {
			wrong.Fields = append(wrong.Fields,
				portal.FieldError{Field: "note", Line: line, Message: "Say it in 1,000 letters."})
		}
		in.Lines = append(in.Lines, l)
	}
	slices.SortFunc(in.Lines, func(a, b portal.NewReturnLine) int { return a.LineNo - b.LineNo })
	if len(wrong.Fields) > 0 {
		return typed, wrong
	}
	return typed, nil
}

// droppedPhotos are the photos kept from the last try that are not wanted.
func droppedPhotos(form url.Values) []portal.PhotoID {
	var out []portal.PhotoID
	for name := range form {
		number, is := strings.CutPrefix(name, "drop_photo_")
		if id, err := strconv.ParseInt(number, 10, 64); is && err == nil && len(out) < 100 {
			out = append(out, portal.PhotoID(id))
		}
	}
	return out
}

// readPhotos reads the form and its files photos. refused says which files are
// no photos, at field photos; those that are come all the same. The body is
// bounded before any of it is read, and no file is held above its own limit.
func readPhotos(q *page.Request) (photos []portal.PhotoData, refused, err error) {
	media, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if media != "multipart/form-data" {
		return nil, nil, q.Decode(&struct{}{})
	}
	q.Body = http.MaxBytesReader(q.W, q.Body, portal.MaxReturnPhotos*photo.MaxBytes+page.MaxForm)
	if err := q.ParseMultipartForm(page.MaxForm); err != nil {
		message := "The form could not be received. Please try again."
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			message = fmt.Sprintf("These photos are too large together: send %d at most, each up to 5 MB.",
				portal.MaxReturnPhotos)
		}
		e := portal.Invalid("photos", "%s", message)
		e.Err = err
		return nil, nil, e
	}
	defer func() { _ = q.MultipartForm.RemoveAll() }() // temporary files
	if err := q.Decode(&struct{}{}); err != nil {
		return nil, nil, err
	}
	wrong := &portal.Error{Code: portal.CodeInvalid}
	for _, head := range q.MultipartForm.File["photos"] {
		if head.Size == 0 && head.Filename == "" {
			continue // none was chosen
		}
		name := strings.ToValidUTF8(head.Filename, "")
		if len(photos) == portal.MaxReturnPhotos {
			wrong.Fields = append(wrong.Fields,
				portal.FieldError{Field: "photos", Message: fmt.Sprintf("%d photos are the most for a request.",
					portal.MaxReturnPhotos)})
			break
		}
		clean, err := readPhoto(head)
		if err != nil {
			wrong.Fields = append(wrong.Fields, portal.FieldError{Field: "photos", Message: name + " is " + err.Error() + "."})
			continue
		}
		photos = append(photos, portal.PhotoData{Name: name, MediaType: clean.MediaType, Width: clean.Width,
			Height: clean.Height, Data: clean.Data})
	}
	if len(wrong.Fields) > 0 {
		wrong.Message = wrong.Fields[0].Message
		refused = wrong
	}
	return photos, refused, nil
}

func readPhoto(head *multipart.FileHeader) (photo.Photo, error) {
	if head.Size > photo.MaxBytes {
		return photo.Photo{}, photo.ErrTooLarge
	}
	f, err := head.Open()
	if err != nil {
		return photo.Photo{}, photo.ErrDamaged
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, photo.MaxBytes+1))
	if err != nil {
		return photo.Photo{}, photo.ErrDamaged
	}
	return photo.Clean(data)
}

// returnRule is a reason's rules in words.
func returnRule(r portal.ReturnReason) string {
	return r.Rule(func(t time.Time) string { return page.FormatDate(t) })
}
