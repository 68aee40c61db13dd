package presence

import "errors"

var (
	// ErrStatus is returned for a status that is not one of the five.
	ErrStatus = errors.New("presence: unknown status")
	// ErrDevices is returned by Set when a user has Options.MaxDevices already.
	ErrDevices = errors.New("presence: too many devices")
	// ErrActivities is returned by Set for activities that are no JSON array, or longer than Options.MaxActivities.
	ErrActivities = errors.New("presence: activities are not a JSON array within the limit")
	// ErrDevice is returned for a device without user or session.
	ErrDevice = errors.New("presence: device without user or session")
	// ErrGrace is returned by New when the grace period does not outlast a lease and a client's longest backoff.
	ErrGrace = errors.New("presence: Grace must be at least Lease + Backoff")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("presence: closed")
)
