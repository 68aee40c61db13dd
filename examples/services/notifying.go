package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// notifying is the work of notifications.
type notifying struct {
	stored  queue
	members *members
	where   *whereabouts
	inbox   *inbox
}

// consume deals with what was stored until ctx ends. What it has sent, it acknowledges: killed in
// between, it is given that again, and finds it in the inbox.
func (n *notifying) consume(ctx context.Context) {
	for ctx.Err() == nil {
		var items []message.Item
		err := insist(ctx, func(context.Context) (err error) {
			items, err = n.stored.Take(ctx, 100) // for as long as nothing is said
			return err
		})
		if err != nil {
			return
		}
		for _, item := range items {
			if n.deal(ctx, item) != nil {
				return
			}
		}
		if err := n.stored.Ack(ctx, items...); err != nil && ctx.Err() == nil {
			slog.Warn("what was sent may come again", "error", err)
		}
	}
}

// deal sends a message to those who need it. The error is that ctx has ended.
func (n *notifying) deal(ctx context.Context, item message.Item) error {
	var m message.Message
	if err := json.Unmarshal(item.Data, &m); err != nil {
		slog.Error("this is no message", "error", err)
		return insist(ctx, func(ctx context.Context) error { return n.stored.Bury(ctx, err.Error(), item) })
	}
	return insist(ctx, func(ctx context.Context) error {
		if err := n.where.refresh(ctx); err != nil {
			return err
		}
		var to []recipient
		for _, name := range n.members.all() {
			if name == m.Author {
				continue
			}
			switch n.where.need(name, m.ID) {
			case needed:
				to = append(to, recipient{name: name})
			case undecided:
				to = append(to, recipient{name: name, held: true})
			}
		}
		return n.inbox.add(ctx, m, to)
	})
}

// decideEvery is how often it is looked whether people whose connection was lost came back.
const decideEvery = time.Second

// decide sends what was held to those who did not come back in time.
func (n *notifying) decide(ctx context.Context) {
	ticker := time.NewTicker(decideEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if err := n.decideNow(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("what is held is held for longer", "error", err)
		}
	}
}

func (n *notifying) decideNow(ctx context.Context) error {
	waiting, err := n.inbox.held(ctx)
	if err != nil || len(waiting) == 0 {
		return err
	}
	if err := n.where.refresh(ctx); err != nil {
		return err
	}
	for name, ids := range waiting {
		for _, id := range ids {
			switch n.where.need(name, id) {
			case needed:
				err = n.inbox.send(ctx, name, id)
			case notNeeded:
				err = n.inbox.forget(ctx, name, id)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
