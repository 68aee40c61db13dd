package corpus

import (
	"strconv"
	"time"
)

// epoch is the first millisecond of Discord's ids.
const epoch = 1420070400000

type user struct {
	id, name       string
	global, avatar any // a string or nil
	flags          int
	bot            bool
	decorated      any
}

type member struct {
	*user
	nick, joined, premium, avatar any
	roles                         list
	flags                         int
}

type channel struct {
	id, name string
	kind     int
	parent   any
	topic    any
}

type role struct {
	id, name string
	color    int
}

type guild struct {
	id, name string
	icon     any
	channels []channel
	roles    []role
	members  []member
}

// world is everybody and everything that events are about, and the clock.
type world struct {
	random
	from, to time.Time // when the events happen
	now      time.Time
	guilds   []guild
}

func newWorld(seed uint64, from, to time.Time, guilds int) *world {
	w := &world{random: random(seed), from: from, to: to}
	for range guilds {
		w.guilds = append(w.guilds, w.newGuild())
	}
	return w
}

// id is a snowflake of the given time: milliseconds, five bits each of worker and process, a counter.
func (w *world) id(at time.Time) string {
	n := uint64(at.UnixMilli()-epoch)<<22 | uint64(w.below(8))<<17 | uint64(w.below(32))<<12 | uint64(w.below(1<<w.between(1, 9)))
	return strconv.FormatUint(n, 10)
}

// before returns some time between the spring of 2016 and the events.
func (w *world) before() time.Time {
	start := time.Date(2016, 3, 1, 0, 0, 0, 0, time.UTC)
	return start.Add(time.Duration(w.next() % uint64(w.from.Sub(start))))
}

// tick sets the clock to some moment of the period.
func (w *world) tick() {
	w.now = w.from.Add(time.Duration(w.next() % uint64(w.to.Sub(w.from)))).Truncate(time.Millisecond)
}

// stamp writes a time as Discord does, with microseconds that are nearly always a round number.
func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

// orNil returns v percent times in a hundred, nil otherwise.
func (w *world) orNil(percent int, v any) any {
	if w.in(percent) {
		return v
	}
	return nil
}

// hash is of an image, one in eight of them animated.
func (w *world) hash() string {
	if w.in(12) {
		return "a_" + w.hex(32)
	}
	return w.hex(32)
}

func (w *world) newUser() *user {
	u := &user{id: w.id(w.before()), name: w.rare(w.between(2, 4)), flags: pick(&w.random, []int{0, 0, 0, 0, 0, 64, 128, 256, 4194304})}
	if w.in(40) {
		u.name += pick(&w.random, []string{"_", ".", ""}) + w.text("0123456789", w.between(1, 4))
	}
	u.global = w.orNil(80, w.title())
	u.avatar = w.orNil(85, w.hash())
	u.bot = w.in(4)
	if w.in(8) {
		u.decorated = object{"sku_id", w.id(w.before()), "expires_at", nil, "asset", "a_" + w.hex(32)}
	}
	return u
}

func (w *world) newGuild() guild {
	made := w.before()
	g := guild{id: w.id(made), name: w.title(), icon: w.orNil(80, w.hash())}
	g.roles = append(g.roles, role{id: g.id, name: "@everyone"})
	for range w.between(2, 12) {
		g.roles = append(g.roles, role{w.id(w.before()), w.title(), w.orInt(60, w.below(1<<24))})
	}
	category := w.id(made)
	for range w.between(2, 10) {
		c := channel{id: w.id(w.before()), name: w.rare(w.between(2, 3)), parent: category}
		c.topic = w.orNil(20, w.sentence(w.between(3, 10)))
		if w.in(30) {
			c.kind = 2
		}
		g.channels = append(g.channels, c)
	}
	for range w.between(3, 12) {
		m := member{user: w.newUser(), joined: stamp(w.before()), nick: w.orNil(15, w.title()), flags: pick(&w.random, []int{0, 0, 0, 1, 2, 3})}
		for _, r := range g.roles[1:] {
			if w.in(18) {
				m.roles = append(m.roles, r.id)
			}
		}
		m.premium = w.orNil(3, stamp(w.before()))
		m.avatar = w.orNil(2, w.hash())
		g.members = append(g.members, m)
	}
	return g
}

func (w *world) orInt(percent, v int) int {
	if w.in(percent) {
		return v
	}
	return 0
}
