package nats

import "log/slog"

// slogger says what becomes of a broker.
type slogger struct {
	to     *slog.Logger
	broker string
}

func (l *slogger) away(err error) {
	l.to.Warn("nats: the broker is away", "broker", l.broker, "error", err)
}
func (l *slogger) back() { l.to.Info("nats: the broker is back", "broker", l.broker) }
func (l *slogger) lost(why string, topics int) {
	l.to.Error("nats: events were lost to this node", "broker", l.broker, "why", why, "topics", topics)
}
