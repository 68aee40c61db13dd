// The gateway's protocol, as docs/protocol.md has it: connects, signs in, keeps the connection alive,
// comes back after a drop, and carries commands. Knows nothing of the chat.

const op = { dispatch: 0, heartbeat: 1, identify: 2, presence: 3, resume: 6, reconnect: 7, invalid: 9, hello: 10, ack: 11, command: 100, reply: 101 }
const intents = 53608447
const firstWait = 1000 // ms before the first attempt to come back; doubles up to
const longestWait = 30_000
const replyWithin = 15_000
const readyWithin = 40_000 // from the first byte to READY: signing in may have to queue
const probeWithin = 5_000

/** What went wrong with a command: the server's code and message, or OFFLINE or RATE_LIMITED. */
export class CommandError extends Error {
  constructor(code, message) {
    super(message)
    this.code = code
  }
}

/**
 * Calls on.dispatch(type, data), on.state(state, detail) with state one of connecting, connected,
 * reconnecting (detail: when, in ms since 1970) and signed-out (detail: why), on.fresh() when a session
 * begins anew.
 */
export class Gateway {
  #socket
  #ready = false // signed in on this connection: what is sent earlier ends it
  #told // the status that the server knows
  #beat
  #acked
  #timer // of the next attempt, or the end of this one's patience
  #statusTimer
  #attempts = 0
  #hint // ms after which the server would have us back, when it is about to go
  #session = null // {id, seq} of what may be resumed
  #waiting = new Map() // nonce → {resolve, reject, timer}
  #nonce = 0
  #stopped = false

  constructor(token, status, on) {
    this.token = token
    this.status = status
    this.on = on
    this.connect()
  }

  connect() {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    this.#ready = false
    this.on.state('connecting')
    const url = new URL('/gateway/?v=10&encoding=json&ext=1', location)
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url)
    this.#socket = socket
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(JSON.parse(data))
    socket.onclose = (event) => socket === this.#socket && this.#closed(event)
    this.#timer = setTimeout(() => this.#drop(), readyWithin)
  }

  /** Tries again at once, if it is waiting to; else makes sure that there still is a connection. */
  retry() {
    if (this.#stopped) return
    if (this.#socket.readyState === WebSocket.OPEN) {
      this.#probe()
    } else if (this.#socket.readyState !== WebSocket.CONNECTING) {
      this.#attempts = 0
      this.connect()
    }
  }

  /** Ends the session for good. */
  stop() {
    this.#stopped = true
    clearTimeout(this.#timer)
    clearTimeout(this.#statusTimer)
    this.#silence()
    this.#socket.close(1000)
  }

  setStatus(status) {
    this.status = status
    if (this.#ready && this.#send(op.presence, { since: null, activities: [], status, afk: false })) this.#told = status
  }

  /** Runs a command; rejects with a CommandError. */
  call(name, data) {
    return new Promise((resolve, reject) => {
      const nonce = ++this.#nonce
      if (!this.#ready || !this.#send(op.command, { t: name, d: data, n: nonce })) {
        reject(new CommandError('OFFLINE', 'Not connected.'))
        return
      }
      const timer = setTimeout(() => this.#settle(nonce)?.reject(new CommandError('OFFLINE', 'No answer.')), replyWithin)
      this.#waiting.set(nonce, { resolve, reject, timer })
    })
  }

  #send(code, d) {
    if (this.#socket.readyState !== WebSocket.OPEN) return false
    this.#socket.send(JSON.stringify({ op: code, d }))
    return true
  }

  #receive({ op: code, d, s, t }) {
    switch (code) {
      case op.hello:
        this.#live(d.heartbeat_interval)
        if (this.#session) this.#send(op.resume, { token: this.token, session_id: this.#session.id, seq: this.#session.seq })
        else this.#identify()
        break
      case op.invalid:
        this.#session = null
        this.#identify()
        break
      case op.heartbeat:
        this.#heartbeat()
        break
      case op.ack:
        this.#acked = true
        break
      case op.reconnect:
        this.#hint = d?.retry_after // of the close that follows
        break
      case op.reply: {
        const call = this.#settle(d.n)
        if (d.e) call?.reject(new CommandError(d.e.code, d.e.message))
        else call?.resolve(d.d)
        break
      }
      case op.dispatch:
        this.#dispatch(t, d, s)
    }
  }

  #identify() {
    const properties = { os: navigator.platform || 'unknown', browser: 'gatehouse chat', device: '' }
    const presence = { since: null, activities: [], status: this.status, afk: false }
    this.#told = this.status
    this.#send(op.identify, { token: this.token, properties, intents, presence })
  }

  #dispatch(type, data, seq) {
    if (type === 'READY') this.#session = { id: data.session_id, seq }
    if (this.#session) this.#session.seq = seq
    if (type === 'READY' || type === 'RESUMED') {
      clearTimeout(this.#timer)
      this.#attempts = 0
      this.#ready = true
      if (this.#told !== this.status) this.setStatus(this.status)
      this.on.state('connected')
    }
    if (type === 'RATE_LIMITED') this.#limited(data)
    this.on.dispatch(type, data)
    if (type === 'GUILD_CREATE') this.on.fresh()
  }

  // What was over the limit has not been done, and it is not said which it was: a status is told
  // again, commands fail. Replies that come nevertheless find nobody waiting.
  #limited({ opcode, retry_after: seconds }) {
    if (opcode === op.presence) {
      clearTimeout(this.#statusTimer)
      this.#statusTimer = setTimeout(() => this.setStatus(this.status), seconds * 1000)
    } else if (opcode === op.command) {
      this.#fail('RATE_LIMITED', `That was too much at once: try again in ${Math.ceil(seconds)} s.`)
    }
  }

  // Heartbeats begin after a random part of the interval, so that not everybody's come together.
  #live(interval) {
    this.#silence()
    this.#acked = true
    const beat = () => {
      if (!this.#acked) return this.#drop()
      this.#heartbeat()
      this.#beat = setTimeout(beat, interval)
    }
    this.#beat = setTimeout(beat, interval * Math.random())
  }

  #silence() {
    clearTimeout(this.#beat)
  }

  // A connection may have died while the machine slept.
  #probe() {
    const socket = this.#socket
    this.#heartbeat()
    setTimeout(() => socket === this.#socket && !this.#acked && this.#drop(), probeWithin)
  }

  // Leaves a connection that is silent. Its close event may take a minute: nobody waits for it.
  #drop() {
    const silent = this.#socket
    silent.onclose = silent.onmessage = null
    silent.close(4000, 'silent')
    this.#closed({ code: 4000 })
  }

  #heartbeat() {
    this.#acked = false
    this.#send(op.heartbeat, this.#session?.seq ?? null)
  }

  #settle(nonce) {
    const call = this.#waiting.get(nonce)
    this.#waiting.delete(nonce)
    clearTimeout(call?.timer)
    return call
  }

  #fail(code, message) {
    for (const nonce of [...this.#waiting.keys()]) this.#settle(nonce).reject(new CommandError(code, message))
  }

  #closed({ code, reason }) {
    this.#ready = false
    this.#silence()
    clearTimeout(this.#timer)
    this.#fail('OFFLINE', 'The connection was lost.')
    if (this.#stopped) return
    if (code === 4004 || (code >= 4010 && code <= 4014) || code === 4102) {
      this.#stopped = true
      this.on.state('signed-out', reason || 'The server refused this name.')
      return
    }
    // Equal parts waiting and chance, so that all who were dropped together do not come back together.
    const most = Math.min(longestWait, firstWait * 2 ** this.#attempts++)
    const wait = this.#hint ?? most / 2 + (Math.random() * most) / 2
    this.#hint = undefined
    this.on.state('reconnecting', Date.now() + wait)
    this.#timer = setTimeout(() => this.connect(), wait)
  }
}
