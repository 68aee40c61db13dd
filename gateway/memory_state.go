package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
)

// What a process hands to its successor in a file. The formats begin with a
// version byte; JSON follows.

const memoryStateVersion = 1

type memoryBrokerState struct {
	Partitions []memoryPartitionState `json:"partitions"`
}

type memoryPartitionState struct {
	Epoch   uint64        `json:"epoch"`
	Offset  uint64        `json:"offset"`
	History []storedEvent `json:"history,omitempty"`
}

// MarshalBinary returns the broker's history and positions, for the broker of
// another process to go on from. What is published afterwards is not in it.
func (b *MemoryBroker) MarshalBinary() ([]byte, error) {
	st := memoryBrokerState{Partitions: make([]memoryPartitionState, len(b.partitions))}
	for i := range b.partitions {
		st.Partitions[i] = b.partitions[i].state()
	}
	return marshalState(st)
}

func (p *memoryPartition) state() memoryPartitionState {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := memoryPartitionState{Epoch: p.epoch, Offset: p.offset}
	for _, rec := range p.history {
		st.History = append(st.History, storedEvent{Topic: rec.Topic, Type: rec.Type, Key: rec.Key, ID: rec.ID, Intent: rec.Intent, Class: rec.Class, Data: rec.Data})
	}
	return st
}

var errStateUsed = errors.New("gateway: the broker has been used: state is for a new one")

// UnmarshalBinary fills a new broker, before anything is published to it: with
// all of the state or, after an error, nothing.
func (b *MemoryBroker) UnmarshalBinary(data []byte) error {
	var st memoryBrokerState
	if err := unmarshalState(data, &st); err != nil {
		return err
	}
	if len(st.Partitions) != len(b.partitions) {
		return fmt.Errorf("gateway: state of %d partitions, want %d", len(st.Partitions), len(b.partitions))
	}
	for i, from := range st.Partitions {
		if from.Epoch == 0 || from.Offset < uint64(len(from.History)) {
			return fmt.Errorf("gateway: state of partition %d makes no sense", i)
		}
		for _, ev := range from.History {
			if err := ev.check(); err != nil {
				return fmt.Errorf("gateway: state of partition %d: %w", i, err)
			}
		}
	}
	for i := range b.partitions { // all of them, in order, so that it is all or nothing
		p := &b.partitions[i]
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.offset != 0 {
			return errStateUsed
		}
	}
	for i, from := range st.Partitions {
		b.partitions[i].restore(uint32(i), from, b.most, b.mostBytes)
	}
	return nil
}

// restore fills a partition that is new. mu is held.
func (p *memoryPartition) restore(i uint32, from memoryPartitionState, most, mostBytes int) {
	p.epoch, p.offset = from.Epoch, from.Offset
	first := from.Offset - uint64(len(from.History)) + 1
	for k, ev := range from.History {
		rec := ev.record()
		rec.Position = Position{Partition: i, Epoch: from.Epoch, Offset: first + uint64(k)}
		p.keep(rec, most, mostBytes)
	}
}

// MarshalBinary returns the sessions that are kept, for the store of another
// process. They stay in this one.
func (m *MemorySessions) MarshalBinary() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]StoredSession, 0, len(m.byID))
	for _, rec := range m.byID {
		all = append(all, rec.StoredSession)
	}
	return marshalState(all)
}

// UnmarshalBinary adds the sessions of another store to this one.
func (m *MemorySessions) UnmarshalBinary(data []byte) error {
	var all []StoredSession
	if err := unmarshalState(data, &all); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, rec := range all {
		m.byID[rec.ID] = memorySession{StoredSession: rec}
	}
	return nil
}

func marshalState(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("gateway: encode state: %w", err)
	}
	return append([]byte{memoryStateVersion}, data...), nil
}

func unmarshalState(data []byte, v any) error {
	if len(data) == 0 || data[0] != memoryStateVersion {
		return errors.New("gateway: state of another version")
	}
	if err := json.Unmarshal(data[1:], v); err != nil {
		return fmt.Errorf("gateway: decode state: %w", err)
	}
	return nil
}
