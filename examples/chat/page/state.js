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
  pending = [] // own messages on their way: {nonce, channel, content, since, failed}
  typing = new Map() // channel id → Map of user id → {name, until}
  current = localStorage.getItem('channel')

  apply(type, d) {
    switch (type) {
      case 'READY':
        this.me = { id: d.user.id, name: d.user.username }
        break
      case 'GUILD_CREATE':
        this.#guildCreate(d)
        break
      case 'CHANNEL_CREATE':
        this.channels.set(d.id, { id: d.id, name: d.name, unread: false })
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
        if (d.channel_id !== this.current && d.author.id !== this.me.id) this.#unread(d.channel_id)
        break
      case 'MESSAGE_UPDATE':
        if (this.messages.get(d.channel_id)?.has(d.id)) this.#put(d)
        break
      case 'MESSAGE_DELETE':
        this.messages.get(d.channel_id)?.delete(d.id)
    }
  }

  #guildCreate(d) {
    this.guild = d.name
    const unread = new Set([...this.channels.values()].filter((c) => c.unread).map((c) => c.id))
    this.channels = new Map(d.channels.map((c) => [c.id, { id: c.id, name: c.name, unread: unread.has(c.id) }]))
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

  #unread(channel) {
    const c = this.channels.get(channel)
    if (c) c.unread = true
  }

  /** Takes a page of history; the newest page is the truth about what is still there. */
  history(channel, { messages, more }, before) {
    const known = this.messages.get(channel) ?? new Map()
    if (!before) {
      const first = more ? messages[0].id : '0'
      for (const id of [...known.keys()]) if (older(id, first) >= 0 || more) known.delete(id)
    }
    this.messages.set(channel, known)
    for (const m of messages) this.#put(m)
    this.more.set(channel, more)
    if (!before) this.#reconcile(channel, messages)
  }

  // A message whose reply was lost is there, or it is not: history tells.
  #reconcile(channel, messages) {
    const mine = messages.filter((m) => m.author.id === this.me.id)
    this.pending = this.pending.filter((p) => {
      if (p.channel !== channel || !p.failed) return true
      const i = mine.findIndex((m) => m.content === p.content.trim() && Date.parse(m.timestamp) >= p.since - 60_000)
      if (i < 0) return true
      mine.splice(i, 1)
      return false
    })
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
