package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// wanted is a topic as it is made if it is not there.
type wanted struct {
	name        string
	partitions  int
	replication int
	retention   time.Duration // negative: for ever
	segment     time.Duration // how old a file gets before another one is begun; 0: as the cluster says
}

// ensure makes a topic if need be, and returns when it is there.
func (w wanted) ensure(ctx context.Context, admin *kadm.Client) error {
	there, err := exists(ctx, admin, w.name)
	if there || err != nil {
		return err
	}
	made, err := admin.CreateTopics(ctx, int32(w.partitions), int16(w.replication), w.config(), w.name)
	if err != nil {
		return err
	}
	if err := made[w.name].Err; err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("make topic %s: %w", w.name, err)
	}
	for { // brokers learn of it one after another
		there, err := exists(ctx, admin, w.name)
		if there || err != nil {
			return err
		}
		if err := rest(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

func (w wanted) config() map[string]*string {
	config := make(map[string]*string)
	set := func(key, value string) { config[key] = &value }
	set("cleanup.policy", "delete")
	set("retention.ms", "-1")
	if w.retention > 0 {
		set("retention.ms", strconv.FormatInt(w.retention.Milliseconds(), 10))
	}
	if w.segment > 0 {
		set("segment.ms", strconv.FormatInt(w.segment.Milliseconds(), 10))
	}
	if w.replication >= 3 {
		set("min.insync.replicas", "2")
	}
	return config
}

func exists(ctx context.Context, admin *kadm.Client, topic string) (bool, error) {
	details, err := admin.ListTopics(ctx, topic)
	if err != nil {
		return false, err
	}
	detail := details[topic]
	err = detail.Err
	for _, p := range detail.Partitions {
		err = errors.Join(err, p.Err)
	}
	if errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.LeaderNotAvailable) {
		return false, nil
	}
	return err == nil && len(detail.Partitions) > 0, err
}
