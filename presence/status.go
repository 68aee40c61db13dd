package presence

// Status is how somebody wants to be seen.
type Status string

// The statuses, with Discord's names.
const (
	Online    Status = "online"
	Idle      Status = "idle"
	DND       Status = "dnd"
	Invisible Status = "invisible"
	Offline   Status = "offline"
)

// ParseStatus returns the status of that name. The empty string is Online, as
// client libraries mean it. The error is ErrStatus.
func ParseStatus(s string) (Status, error) {
	switch st := Status(s); st {
	case "":
		return Online, nil
	case Online, Idle, DND, Invisible, Offline:
		return st, nil
	}
	return "", ErrStatus
}

// rank orders statuses for merging devices: what a person asked for on one
// device holds for all of them. Who hides on one is hidden, who does not want
// to be disturbed on one is not, and who is active on one is not idle.
func (s Status) rank() int {
	switch s {
	case Invisible:
		return 4
	case DND:
		return 3
	case Online:
		return 2
	case Idle:
		return 1
	}
	return 0
}

// merge returns the status of two devices together; "" is one that is not there.
func merge(a, b Status) Status {
	if b.rank() > a.rank() {
		return b
	}
	return a
}
