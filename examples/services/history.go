package main

import (
	"encoding/json"
	"net/http"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// historyPage is how many messages are read at a time.
const historyPage = 100

// history answers what was said, oldest first: the newest, or those before ?before=ID.
func history(store message.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := message.Query{Limit: historyPage}
		if before := r.FormValue("before"); before != "" {
			if err := q.Before.UnmarshalText([]byte(before)); err != nil {
				http.Error(w, "before is no id", http.StatusBadRequest)
				return
			}
		}
		page, err := store.Page(r.Context(), channel, q)
		answer(w, page, err)
	}
}

// answer writes a list as JSON.
func answer[T any](w http.ResponseWriter, list []T, err error) {
	if err != nil {
		http.Error(w, "it cannot be read now", http.StatusServiceUnavailable)
		return
	}
	if list == nil {
		list = []T{}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(list)
}
