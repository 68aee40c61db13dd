// What the chat knows, and how each event changes it. No page and no network in here.

const typingFor = 10_000 // ms that a TYPING_START counts

/** Orders snowflakes: digits without leading zeros. */
export const older = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)

export class State {
  me = null
  guild = ''
  channels = new Map() // id → {id, name, unread}
  members = new Map() // user id → {id, name, status}
  messages = new Map() // channel id → Map of id → message
  more = new Map() // channel id → whether there are older ones; not there: history was never read
  #loading = new Set() // histories on their way: {channel, events that came meanwhile}
  pending = [] // own messages on their way: {nonce, channel, content, since, failed: why, or nothing}
  typing = new Map() // channel id → Map of user id → {name, until}
  current = localStorage.getItem('channel')

  apply(type, d) {
    for (const l of this.#loading) if (type.startsWith('MESSAGE') && l.channel === d.channel_id) l.events.push([type, d])
    switch (type) {
      case 'READY':
        this.me = { id: d.user.id, name: d.user.username }
        break
      case 'GUILD_CREATE':
        this.#guildCreate(d)
        break
      case 'CHANNEL_CREATE':
        this.channels.set(d.id, { id: d.id, name: d.name, unread: false, last: d.last_message_id })
        break
      case 'GUILD_MEMBER_ADD':
        this.#member(d.user)
        break
      case 'PRESENCE_UPDATE': {
        const member = this.members.get(d.user.id)
        if (member) member.status = d.status
        break
      }
      case 'TYPING_START':
        if (d.user_id === this.me.id) break
        if (!this.typing.has(d.channel_id)) this.typing.set(d.channel_id, new Map())
        this.typing.get(d.channel_id).set(d.user_id, { name: d.member.user.username, until: Date.now() + typingFor })
        break
      case 'MESSAGE_CREATE':
        this.pending = this.pending.filter((p) => p.nonce !== d.nonce)
        this.typing.get(d.channel_id)?.delete(d.author.id)
        this.#put(d)
        this.#arrived(d)
        break
      case 'MESSAGE_UPDATE':
        if (this.messages.get(d.channel_id)?.has(d.id)) this.#put(d)
        break
      case 'MESSAGE_DELETE':
        this.messages.get(d.channel_id)?.delete(d.id)
        break
      case 'MESSAGE_DELETE_BULK':
        for (const id of d.ids) this.messages.get(d.channel_id)?.delete(id)
    }
  }

  #guildCreate(d) {
    this.guild = d.name
    const before = this.channels
    this.channels = new Map(d.channels.map((c) => [c.id, { id: c.id, name: c.name, unread: this.#missed(before.get(c.id), c), last: c.last_message_id }]))
    this.members.clear()
    for (const m of d.members) this.#member(m.user)
    for (const p of d.presences) this.members.get(p.user.id).status = p.status
    if (!this.channels.has(this.current)) this.current = d.channels[0]?.id
    // What was missed in between is not known: all history is read again.
    this.more.clear()
    this.typing.clear()
  }

  #member(user) {
    const status = this.members.get(user.id)?.status ?? 'offline'
    this.members.set(user.id, { id: user.id, name: user.username, status })
  }

  #put(message) {
    if (!this.messages.has(message.channel_id)) this.messages.set(message.channel_id, new Map())
    this.messages.get(message.channel_id).set(message.id, message)
  }

  #arrived(message) {
    const c = this.channels.get(message.channel_id)
    if (!c) return
    c.last = message.id
    if (c.id !== this.current && message.author.id !== this.me.id) c.unread = true
  }

  // Whether there is something new in a channel since before, when it was last known.
  #missed(before, now) {
    if (!before || now.id === this.current) return false
    return before.unread || older(now.last_message_id ?? '0', before.last ?? '0') > 0
  }

  /**
   * Waits for a page of history and takes it: the newest page replaces what is known, an older one
   * goes before it. It may have been read before what arrives meanwhile, which is therefore applied again.
   */
  async history(channel, page, before) {
    const load = { channel, events: [] }
    this.#loading.add(load)
    try {
      const { messages, more } = await page
      if (!before) this.messages.delete(channel)
      for (const m of messages) this.#put(m)
      this.more.set(channel, more)
      const arrived = new Set(messages.map((m) => m.nonce))
      this.pending = this.pending.filter((p) => p.channel !== channel || !arrived.has(p.nonce))
      return more
    } finally {
      this.#loading.delete(load)
      for (const [type, d] of load.events) this.apply(type, d)
    }
  }

  /** The messages of the current channel, oldest first. */
  list() {
    return [...(this.messages.get(this.current)?.values() ?? [])].sort((a, b) => older(a.id, b.id))
  }

  open(channel) {
    this.current = channel
    localStorage.setItem('channel', channel)
    this.channels.get(channel).unread = false
  }

  /** Names of who is typing here now. */
  typists(now = Date.now()) {
    const here = this.typing.get(this.current) ?? new Map()
    for (const [id, t] of here) if (t.until <= now) here.delete(id)
    return [...here.values()].map((t) => t.name)
  }

  /** Members, those online first, by name. */
  people() {
    const gone = (m) => (m.status === 'offline' ? 1 : 0)
    return [...this.members.values()].sort((a, b) => gone(a) - gone(b) || a.name.localeCompare(b.name))
  }
}
