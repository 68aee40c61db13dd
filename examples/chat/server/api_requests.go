package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
)

// maxBody is how many bytes a request may have, beside files.
const maxBody = 1 << 20

// id is a snowflake in the path.
func (r *request) id(name string) (id, error) {
	var i id
	if err := i.UnmarshalText([]byte(r.PathValue(name))); err != nil {
		return 0, invalidID(name+"_id", r.PathValue(name))
	}
	return i, nil
}

// ids are two of them.
func (r *request) ids(first, second string) (a, b id, err error) {
	if a, err = r.id(first); err == nil {
		b, err = r.id(second)
	}
	return a, b, err
}

// idOf is a snowflake in the query; 0 if it is not there.
func (r *request) idOf(name string) (id, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	var i id
	if err := i.UnmarshalText([]byte(text)); err != nil {
		return 0, invalidID(name, text)
	}
	return i, nil
}

// limit is how many the query asks for.
func (r *request) limit(fallback, most int) (int, error) { return r.number("limit", fallback, 1, most) }

// number is one in the query.
func (r *request) number(name string, fallback, least, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		why := fmt.Sprintf("Value must be between %d and %d.", least, most)
		return 0, invalid(name, "NUMBER_TYPE_RANGE", why, "BAD_REQUEST", why)
	}
	return n, nil
}

// body decodes what was sent: JSON, or a form with payload_json. A file in it is
// refused. An empty body is an empty object.
func (r *request) body(into any) error { return r.bodyWithFiles(into, nil) }

// taker takes a file of a form, with the field's name and its own.
type taker func(field, name string, from io.Reader) error

// bodyWithFiles is body, with files beside payload_json.
func (r *request) bodyWithFiles(into any, take taker) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "multipart/form-data" {
		return decode(http.MaxBytesReader(nil, r.Body, maxBody), into)
	}
	most := int64(maxBody)
	if take != nil {
		most += maxUpload
	}
	r.Body = http.MaxBytesReader(nil, r.Body, most)
	return r.form(into, take)
}

func (r *request) form(into any, take taker) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return badJSON
	}
	for {
		part, err := parts.NextPart()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return badBody(err)
		case part.FileName() != "" && take == nil:
			return textOnly
		case part.FileName() != "":
			if err := take(part.FormName(), part.FileName(), part); err != nil {
				return err
			}
		case part.FormName() == "payload_json":
			if err := decode(http.MaxBytesReader(nil, part, maxBody), into); err != nil {
				return err
			}
		}
	}
}

func decode(from io.Reader, into any) error {
	decoder := json.NewDecoder(from)
	switch err := decoder.Decode(into); {
	case err == io.EOF:
		return nil
	case err != nil:
		return badBody(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return badBody(err)
	}
	return nil
}

// badBody says what is wrong with what was sent.
func badBody(err error) error {
	var bad badID
	var wrong *json.UnmarshalTypeError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge
	case errors.As(err, &bad):
		return invalidID("id", string(bad))
	case errors.As(err, &wrong):
		text := "Could not interpret " + wrong.Value + " as " + wrong.Type.Kind().String() + "."
		return invalid(wrong.Field, "BASE_TYPE_BAD_TYPE", text, "BAD_REQUEST", text)
	}
	return badJSON
}
