// Joins the gateway's client, the state and the page.
import { $ } from './dom.js'
import { Gateway } from './gateway.js'
import { Messages } from './messages.js'
import { renderChannels, renderConnection, renderCountdown, renderMembers, renderTyping, wireDrawers } from './panels.js'
import { State } from './state.js'

const typingEvery = 8000 // ms between two TYPING commands
const longest = 2000 // characters of a message, as the server has it

let gateway
let state
let lastTyping = 0
let drafts = new Map() // channel id → text that was not sent
const closeDrawers = wireDrawers()
const messages = new Messages({
  changed: () => messages.render(state),
  edit: (m, content) => fits(content) && attempt(gateway.call('EDIT_MESSAGE', { channel_id: m.channel_id, message_id: m.id, content })),
  remove: (m) => attempt(gateway.call('DELETE_MESSAGE', { channel_id: m.channel_id, message_id: m.id })),
  retry: (p) => send(p),
  drop: (p) => {
    state.pending = state.pending.filter((q) => q !== p)
    messages.render(state)
  },
})

// Signing in and out.

function signIn(name) {
  localStorage.setItem('name', name)
  $('signin').hidden = true
  $('chat').hidden = false
  state = new State()
  restore(name)
  const status = localStorage.getItem('status') ?? 'online'
  $('status').value = status
  gateway = new Gateway(name, status, { dispatch, fresh, state: connection })
}

function signOut(why) {
  localStorage.removeItem('name')
  sessionStorage.removeItem('unsent')
  gateway = state = undefined
  drafts = new Map()
  $('composer').value = ''
  $('chat').hidden = true
  $('signin').hidden = false
  $('signin-error').textContent = why ?? ''
  $('signin-error').hidden = !why
  $('name').focus()
}

$('signin-form').onsubmit = (event) => {
  event.preventDefault()
  const name = $('name').value.trim()
  if (name) signIn(name)
}

$('signout').onclick = () => {
  gateway.stop()
  signOut()
}

// What comes from the gateway.

function connection(now, detail) {
  renderConnection(now, detail)
  if (now === 'signed-out') signOut(detail)
}

function dispatch(type, data) {
  const before = state.current
  state.apply(type, data)
  if (!state.channels.size) return // READY: the guild follows
  if (type.startsWith('MESSAGE')) messages.render(state)
  if (type === 'MESSAGE_CREATE' && data.channel_id === state.current && data.author.id !== state.me.id) announce(`${data.author.username}: ${data.content}`)
  if (type === 'GUILD_CREATE' || type === 'CHANNEL_CREATE' || type === 'MESSAGE_CREATE') renderChannels(state, open)
  if (type === 'GUILD_CREATE' || type === 'GUILD_MEMBER_ADD' || type === 'PRESENCE_UPDATE') renderMembers(state)
  renderTyping(state)
  if (before !== state.current) messages.render(state)
}

/** A session has begun: what was on its way may be lost, what was missed is in the history. */
async function fresh() {
  if (matchMedia('(hover: hover)').matches && !document.activeElement?.matches('textarea, input, select')) $('composer').focus()
  await load()
}

async function load(before) {
  const channel = state.current
  const limit = before ? 50 : Math.min(100, Math.max(50, state.list().length)) // what was read stays, if it can
  const page = gateway.call('HISTORY', { channel_id: channel, before, limit })
  const more = await attempt(state.history(channel, page, before))
  if (more === undefined || channel !== state?.current) return
  const box = $('scroll')
  const fromEnd = box.scrollHeight - box.scrollTop
  $('older').hidden = !more
  messages.render(state)
  if (before) box.scrollTop = box.scrollHeight - fromEnd
}

$('older').onclick = () => load(state.list()[0]?.id)
$('retry').onclick = () => gateway.retry()
addEventListener('online', () => gateway?.retry())
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && gateway?.retry())
addEventListener('pagehide', () => {
  if (!gateway) return
  remember()
  gateway.stop()
})
addEventListener('pageshow', (event) => event.persisted && start())
// Another tab of the same person: a status holds for all of them.
addEventListener('storage', ({ key, newValue }) => {
  if (key !== 'status' || !newValue || !gateway) return
  $('status').value = newValue
  gateway.setStatus(newValue)
})

// What people do.

function open(channel) {
  drafts.set(state.current, $('composer').value)
  state.open(channel)
  $('composer').value = drafts.get(channel) ?? ''
  resize()
  complain()
  closeDrawers()
  renderChannels(state, open)
  messages.render(state)
  renderTyping(state)
  messages.toEnd()
  $('older').hidden = !state.more.get(channel)
  if (!state.more.has(channel)) load()
  $('composer').focus()
}

$('compose').onsubmit = (event) => {
  event.preventDefault()
  const content = $('composer').value
  if (!content.trim() || !fits(content) || !state.me || !state.current) return
  $('composer').value = ''
  drafts.delete(state.current)
  resize()
  const pending = { nonce: crypto.getRandomValues(new Uint32Array(2)).join('-'), channel: state.current, content, since: Date.now() }
  state.pending.push(pending)
  lastTyping = 0
  send(pending)
  messages.toEnd()
}

/** Sends a message, if need be again: its nonce makes that harmless. What fails stays, to be tried again or discarded. */
async function send(pending) {
  const here = state
  pending.failed = ''
  messages.render(state)
  complain()
  const { channel, content, nonce } = pending
  try {
    const message = await gateway.call('SEND_MESSAGE', { channel_id: channel, content, nonce, enforce_nonce: true })
    if (here.pending.includes(pending)) here.apply('MESSAGE_CREATE', message)
  } catch (err) {
    pending.failed = err.code === 'OFFLINE' ? 'Not sent.' : `Not sent. ${err.message}`
  }
  if (here === state) messages.render(state)
}

/** Whether a text is short enough for a message; if not, says so. */
function fits(text) {
  const length = [...text.trim()].length
  if (length > longest) complain(`A message has at most ${longest} characters; this one has ${length}.`)
  return length <= longest
}

// Unsent text outlives a reload, in its tab.

function remember() {
  drafts.set(state.current, $('composer').value)
  sessionStorage.setItem('unsent', JSON.stringify({ name: gateway.token, drafts: [...drafts], pending: state.pending }))
}

function restore(name) {
  const unsent = JSON.parse(sessionStorage.getItem('unsent') ?? '{}')
  if (unsent.name !== name) return
  drafts = new Map(unsent.drafts)
  state.pending = unsent.pending.map((p) => ({ ...p, failed: 'Not sent.' }))
  $('composer').value = drafts.get(state.current) ?? ''
  resize()
}

$('composer').onkeydown = (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault()
    $('compose').requestSubmit()
  }
  if (event.key === 'ArrowUp' && $('composer').value === '') {
    if (!state.me) return
    const mine = state.list().filter((m) => m.author.id === state.me.id)
    if (!mine.length) return
    event.preventDefault()
    messages.edit(mine.at(-1))
  }
}

$('composer').oninput = () => {
  resize()
  if (fits($('composer').value)) complain()
  if (!$('composer').value.trim() || Date.now() - lastTyping < typingEvery) return
  lastTyping = Date.now()
  gateway.call('TYPING', { channel_id: state.current }).catch(() => {})
}

/** As high as its text, up to what the stylesheet allows. */
function resize() {
  const box = $('composer')
  box.rows = Math.min(6, box.value.split('\n').length)
}

$('status').onchange = () => {
  localStorage.setItem('status', $('status').value)
  gateway.setStatus($('status').value)
}

$('channel-form').onsubmit = async (event) => {
  event.preventDefault()
  const name = $('channel-name').value.trim()
  if (!name) return
  const channel = await attempt(gateway.call('CREATE_CHANNEL', { name }))
  if (!channel) return
  $('channel-name').value = ''
  state.apply('CHANNEL_CREATE', channel)
  open(channel.id)
}

/** Waits for a command; what goes wrong is said near the composer, and the result is then undefined. */
async function attempt(command) {
  try {
    const result = await command
    complain()
    return result
  } catch (err) {
    complain(err.code === 'OFFLINE' ? 'Not connected: try again when the connection is back.' : err.message)
  }
}

/** Has a screen reader say it. */
function announce(text) {
  $('announcer').textContent = text
}

function complain(text = '') {
  $('compose-error').textContent = text
  $('compose-error').hidden = !text
}

setInterval(() => {
  if (state?.me) renderTyping(state)
  renderCountdown()
}, 1000)

function start() {
  const name = localStorage.getItem('name')
  if (name) signIn(name)
  else signOut()
}

start()
