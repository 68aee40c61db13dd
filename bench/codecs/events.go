package codecs

// This file is the one place that says which events are measured, and by which
// dictionary.

// shared is the dictionary of codec; nil: there is none yet.
var shared dictionary

// training are the events that a dictionary may have learned from, and heldOut those
// that are measured: other people, guilds, channels and sentences.
func training() []Event { return made(1, 3000) }
func heldOut() []Event  { return made(2, 4000) }
