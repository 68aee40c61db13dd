package message

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// An edit and a deletion reach the store and the index; what breaks a rule reaches neither.
func TestEditAndDelete(t *testing.T) {
	store, index := NewMemoryStore(), NewMemoryIndex()
	p, err := New(Options{Store: store, Index: index})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close(t.Context())
	found := func(text string) (ids []ID) {
		hits, err := index.Search(t.Context(), Search{Text: text, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
		return ids
	}
	m, err := p.Send(t.Context(), Message{Channel: "1", Author: "ann", Content: "old words"})
	if err != nil {
		t.Fatal(err)
	}
	m.Content, m.Edited = "  new words ", time.UnixMilli(1)
	if err := p.Edit(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	page, _ := store.Page(t.Context(), "1", Query{Limit: 1})
	if len(page) != 1 || page[0].Content != "new words" || page[0].Edited.IsZero() || len(found("old")) > 0 || !slices.Equal(found("new"), []ID{m.ID}) {
		t.Errorf("stored %+v, found %v and %v", page, found("old"), found("new"))
	}
	m.Content = ""
	refusal := (*Refusal)(nil)
	if err := p.Edit(t.Context(), m); !errors.As(err, &refusal) || refusal.Code != CodeInvalid {
		t.Errorf("an empty message: %v", err)
	}
	if err := p.Edit(t.Context(), Message{ID: 7, Channel: "1", Content: "nobody's"}); !errors.Is(err, ErrNotFound) || len(found("nobody")) > 0 {
		t.Errorf("an unknown message: %v", err)
	}
	if deleted, err := p.Delete(t.Context(), "1", 7, m.ID); err != nil || !slices.Equal(deleted, []ID{m.ID}) || len(found("new")) > 0 {
		t.Errorf("deleted %v, %v, found %v", deleted, err, found("new"))
	}
	if s := p.Stats().Stages["store"]; s.Failed != 0 || s.Calls != 4 {
		t.Errorf("%+v", s)
	}
}
