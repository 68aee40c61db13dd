package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// state is what a server leaves to the next in a file: the sessions whose
// clients will come back, and the history from which they are told what they
// missed.
type state struct {
	Last     id     `json:"last_message"` // as of which it was written
	Broker   []byte `json:"broker"`
	Sessions []byte `json:"sessions"`
}

// takeState makes the broker and the sessions of a new server, from a file if
// there is one, which is removed: it is of use once. One that cannot be used
// costs its sessions, not the start.
func takeState(path string, last id) (*gateway.MemoryBroker, *gateway.MemorySessions) {
	broker, sessions := gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{}), gateway.NewMemorySessions()
	if path == "" {
		return broker, nil // nobody would read what they say
	}
	if err := readState(path, last, broker, sessions); err != nil {
		slog.Warn("sessions are lost: the state of the last run cannot be used", "error", err)
		return gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{}), gateway.NewMemorySessions()
	}
	return broker, sessions
}

// errOldState says that somebody has written to the data file since.
var errOldState = errors.New("there have been messages since it was written")

func readState(path string, last id, broker *gateway.MemoryBroker, sessions *gateway.MemorySessions) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	var st state
	if err := json.Unmarshal(text, &st); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if st.Last != last {
		return fmt.Errorf("%s: %w", path, errOldState)
	}
	return errors.Join(broker.UnmarshalBinary(st.Broker), sessions.UnmarshalBinary(st.Sessions))
}

// writeState writes the file, whole or not at all; only its owner may read it.
func writeState(path string, last id, broker *gateway.MemoryBroker, sessions *gateway.MemorySessions) (err error) {
	st := state{Last: last}
	if st.Broker, err = broker.MarshalBinary(); err != nil {
		return err
	}
	if st.Sessions, err = sessions.MarshalBinary(); err != nil {
		return err
	}
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
