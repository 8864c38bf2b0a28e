package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
)

// client asks a portal for data, as whoever's session cookie it is given. Safe
// for concurrent use.
type client struct {
	url  string
	http *http.Client
}

// newClient keeps n connections open.
func newClient(url string, n int) client {
	return client{url, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}}}
}

// fetch returns the body of what anybody may get.
func (c client) fetch(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: status %d", path, resp.StatusCode)
	}
	return io.ReadAll(resp.Body)
}

// ask returns the body of a 200; any other answer is an error that quotes it.
func (c client) ask(ctx context.Context, cookie, method, path, contentType string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Cookie", "portal_session="+cookie+"; __Host-portal_session="+cookie)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", contentType)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: status %d: %.300s", method, path, resp.StatusCode, answer)
	}
	return answer, nil
}

// send posts a form.
func (c client) send(ctx context.Context, cookie, path string, form url.Values) ([]byte, error) {
	return c.ask(ctx, cookie, "POST", path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// upload posts a form with a file; what the page answers is not looked at.
func (c client) upload(ctx context.Context, cookie, path, name string, file []byte, fields map[string]string) error {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(file)
	}
	for key, value := range fields {
		err = errors.Join(err, w.WriteField(key, value))
	}
	if err = errors.Join(err, w.Close()); err == nil {
		_, err = c.ask(ctx, cookie, "POST", path, w.FormDataContentType(), &body)
	}
	return err
}
