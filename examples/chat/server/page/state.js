// What the chat knows, and how each event changes it. No page and no network in here.

const attachFiles = 1 << 15 // Discord's bit of a role's permissions
const typingFor = 10_000 // ms that a TYPING_START counts

/** Orders snowflakes: digits without leading zeros. */
export const older = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)

export class State {
  me = null
  guild = ''
  channels = new Map() // id → {id, name, last: newest message, read: up to where, said: that the server knows of, unread: how many of others behind read}
  #reads = new Map() // channel id → what READY said of it
  members = new Map() // user id → {id, name, status}
  messages = new Map() // channel id → Map of id → message
  more = new Map() // channel id → whether there are older ones; not there: history was never read
  newer = new Map() // channel id → whether there are newer ones, which are not put here then
  watching = false // the newest message of the current channel is being looked at
  line = null // the message of the current channel behind which the new ones begin; null: none are
  #loading = new Set() // histories on their way: {channel, events that came meanwhile}
  pending = [] // own messages on their way: {nonce, channel, content, attachments, since, failed: why, or nothing}
  typing = new Map() // channel id → Map of user id → {name, until}
  files = false // whether messages may have files
  current = localStorage.getItem('channel')

  apply(type, d) {
    for (const l of this.#loading) if (type.startsWith('MESSAGE') && l.channel === d.channel_id) l.events.push([type, d])
    switch (type) {
      case 'READY':
        this.me = { id: d.user.id, name: d.user.username }
        this.#reads = new Map((d.read_state ?? []).map((r) => [r.id, r]))
        break
      case 'GUILD_CREATE':
        this.#guildCreate(d)
        break
      case 'CHANNEL_CREATE':
        this.channels.set(d.id, this.#channel(d))
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
        if (!this.newer.get(d.channel_id)) this.#put(d)
        this.#arrived(d)
        break
      case 'MESSAGE_ACK':
        this.#acked(d)
        break
      case 'MESSAGE_UPDATE':
        if (this.messages.get(d.channel_id)?.has(d.id)) this.#put(d)
        break
      case 'MESSAGE_DELETE':
        this.#gone(d.channel_id, d.id)
        break
      case 'MESSAGE_DELETE_BULK':
        for (const id of d.ids) this.#gone(d.channel_id, id)
    }
  }

  #guildCreate(d) {
    this.guild = d.name
    this.files = (Number(d.roles[0].permissions) & attachFiles) !== 0
    this.channels = new Map(d.channels.map((c) => [c.id, this.#channel(c)]))
    this.members.clear()
    for (const m of d.members) this.#member(m.user)
    for (const p of d.presences) this.members.get(p.user.id).status = p.status
    if (!this.channels.has(this.current)) this.current = d.channels[0]?.id
    // What was missed in between is not known: all history is read again.
    this.more.clear()
    this.newer.clear()
    this.typing.clear()
    this.#draw()
  }

  #channel({ id, name, last_message_id: last }) {
    const known = this.#reads.get(id)
    const read = known?.last_message_id ?? '0'
    return { id, name, last: last ?? '0', read, said: read, unread: known?.unread_count ?? 0 }
  }

  #gone(channel, id) {
    const c = this.channels.get(channel)
    const mine = this.messages.get(channel)?.get(id)?.author.id === this.me.id
    if (c?.unread && !mine && older(id, c.read) > 0) c.unread--
    this.messages.get(channel)?.delete(id)
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
    if (!c || older(message.id, c.last) <= 0) return // told again
    c.last = message.id
    const here = c.id === this.current
    if (message.author.id === this.me.id) {
      this.#read(c)
      c.said = c.read // the server knows that who speaks has read
      if (here) this.line = null
    } else if (here && this.watching) {
      this.#read(c)
    } else {
      c.unread++
      if (here && this.line === null) this.line = c.read
    }
  }

  // Another tab has read up to a message.
  #acked({ channel_id, message_id }) {
    const c = this.channels.get(channel_id)
    if (!c || older(message_id, c.read) <= 0) return
    c.read = c.said = message_id
    const left = [...(this.messages.get(c.id)?.values() ?? [])].filter((m) => older(m.id, c.read) > 0 && m.author.id !== this.me.id)
    if (older(c.last, c.read) <= 0) c.unread = 0
    else if (this.more.has(c.id)) c.unread = left.length
  }

  #read(c) {
    c.read = c.last
    c.unread = 0
  }

  #draw() {
    const c = this.channels.get(this.current)
    this.line = c?.unread ? c.read : null
  }

  /** Channels of which more has been read than the server knows. */
  unsaid() {
    return [...this.channels.values()].filter((c) => older(c.read, c.said) > 0)
  }

  /** All of the current channel has been read. Reports whether that is news. */
  see() {
    const c = this.channels.get(this.current)
    if (!c || older(c.last, c.read) <= 0) return false
    this.#read(c)
    return true
  }

  /**
   * Waits for a page of history and takes it: one of 'older' or 'newer' messages goes before or behind what is
   * known, any other replaces it. It may have been read before what arrives meanwhile, which is therefore applied again.
   */
  async history(channel, page, which) {
    const load = { channel, events: [] }
    this.#loading.add(load)
    try {
      const { messages, more, newer } = await page
      if (!which) this.messages.delete(channel)
      for (const m of messages) this.#put(m)
      if (which !== 'newer') this.more.set(channel, more)
      if (which !== 'older') this.newer.set(channel, newer)
      const arrived = new Set(messages.map((m) => m.nonce))
      this.pending = this.pending.filter((p) => p.channel !== channel || !arrived.has(p.nonce))
      return true
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
    this.#draw()
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
