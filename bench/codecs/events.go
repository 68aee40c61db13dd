package codecs

import (
	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/internal/corpus"
)

// This file is the one place that says which events are measured, and by which
// dictionary.

// Event is one event as it would be published.
type Event = corpus.Event

// shared is the dictionary of codec; nil: there is none.
var shared dictionary = codec.DefaultDictionary()

// training are the events that a dictionary may have learned from, and heldOut those
// that are measured: other people, guilds, channels and sentences.
func training() []Event { return corpus.Training() }
func heldOut() []Event  { return corpus.HeldOut() }
