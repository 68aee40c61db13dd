// Joins the gateway's client, the state and the page.
import { inWords } from './attachments.js'
import { $ } from './dom.js'
import { Files } from './files.js'
import { Gateway } from './gateway.js'
import { Messages } from './messages.js'
import { renderChannels, renderConnection, renderCountdown, renderMembers, renderTyping, wireDrawers } from './panels.js'
import { Search } from './search.js'
import { State } from './state.js'

const typingEvery = 8000 // ms between two TYPING commands
const longest = 2000 // characters of a message, as the server has it
const markEvery = 2000 // ms between two MARK_READ commands

let gateway
let state
let lastTyping = 0
let marking // the timer of the next MARK_READ
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

const search = new Search({
  find: (query) => gateway.call('SEARCH', query),
  open: (m) => jump(m.channel_id, m.id),
})

const files = new Files({
  token: () => gateway.token,
  allowed: () => Boolean(state?.files),
  complain: (why) => complain(why),
  layout: (change) => {
    const atEnd = messages.atEnd()
    change()
    if (atEnd) messages.toEnd()
  },
})
let holding = false // a message waits for its files

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
  clearTimeout(marking)
  marking = undefined
  search.clear()
  files.clear()
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
  tellRead()
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
  state.watching = watching()
  state.apply(type, data)
  if (!state.channels.size) return // READY: the guild follows
  if (type.startsWith('MESSAGE')) messages.render(state)
  if (type === 'MESSAGE_CREATE' && data.channel_id === state.current && data.author.id !== state.me.id) announce(`${data.author.username}: ${inWords(data)}`)
  if (type === 'GUILD_CREATE') {
    $('attach').hidden = !state.files
    files.open(state.current)
  }
  if (type === 'GUILD_CREATE' || type === 'CHANNEL_CREATE') search.channels(state)
  if (type === 'GUILD_CREATE' || type === 'CHANNEL_CREATE' || type.startsWith('MESSAGE')) renderChannels(state, open)
  if (type === 'MESSAGE_CREATE') mark()
  if (type === 'GUILD_CREATE' || type === 'GUILD_MEMBER_ADD' || type === 'PRESENCE_UPDATE') renderMembers(state)
  renderTyping(state)
  if (before !== state.current) messages.render(state)
}

/** A session has begun: what was on its way may be lost, what was missed is in the history. */
async function fresh() {
  if (matchMedia('(hover: hover)').matches && !document.activeElement?.matches('textarea, input, select')) $('composer').focus()
  await load()
}

/** Reads history: of the older or newer messages next to what is there, or anew, from the end or around a message. */
async function load(which, around) {
  const channel = state.current
  const first = !state.more.has(channel)
  const list = state.list()
  const query = { channel_id: channel, limit: 50 }
  if (which === 'older') query.before = list[0]?.id
  else if (which === 'newer') query.after = list.at(-1)?.id
  else if (around) query.around = around
  else query.limit = Math.min(100, Math.max(50, list.length)) // what was read stays, if it can
  const done = await attempt(state.history(channel, gateway.call('HISTORY', query), which))
  if (!done || channel !== state?.current) return
  const box = $('scroll')
  const { scrollTop, scrollHeight } = box
  showEnds()
  messages.render(state)
  if (which) box.scrollTop = which === 'older' ? scrollTop + box.scrollHeight - scrollHeight : scrollTop
  else if (first && !around) messages.toNew()
  see()
}

function showEnds() {
  $('older').hidden = !state.more.get(state.current)
  $('newer').hidden = $('newest').hidden = !state.newer.get(state.current)
}

async function toNewest() {
  await load()
  messages.toEnd()
}

$('older').onclick = () => load('older')
$('newer').onclick = () => load('newer')
$('newest').onclick = toNewest
$('retry').onclick = () => gateway.retry()
addEventListener('online', () => gateway?.retry())
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && gateway?.retry())
for (const what of ['visibilitychange', 'focusin']) document.addEventListener(what, see)
addEventListener('focus', see)
$('scroll').addEventListener('scroll', see)
addEventListener('pagehide', () => {
  if (!gateway) return
  remember()
  tellRead()
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

function open(channel, around) {
  drafts.set(state.current, $('composer').value)
  state.open(channel)
  $('composer').value = drafts.get(channel) ?? ''
  files.open(channel)
  resize()
  complain()
  closeDrawers()
  renderChannels(state, open)
  messages.render(state)
  renderTyping(state)
  messages.toNew()
  showEnds()
  $('composer').focus()
  if (!state.more.has(channel) && !around) load()
  see()
}

/** Shows a message, wherever it is. */
async function jump(channel, id) {
  if (channel !== state.current) open(channel, id)
  else closeDrawers()
  if (!state.messages.get(channel)?.has(id) || !state.more.has(channel)) await load(undefined, id)
  messages.show(id)
}

// What has been read.

/** Whether somebody looks at the newest message of the channel, as far as a page can know. */
function watching() {
  return document.visibilityState === 'visible' && document.hasFocus() && state.more.has(state.current) && !state.newer.get(state.current) && messages.atEnd()
}

function see() {
  if (!state?.me || !watching() || !state.see()) return
  renderChannels(state, open)
  mark()
}

/** Tells the server, and thereby this person's other tabs, what has been read: at once, and not with every message of many. */
function mark() {
  if (marking) return
  tellRead()
  marking = setTimeout(() => {
    marking = undefined
    if (state?.unsaid().length) mark()
  }, markEvery)
}

function tellRead() {
  for (const c of state.unsaid()) {
    const before = c.said
    c.said = c.read
    gateway.call('MARK_READ', { channel_id: c.id, message_id: c.read }).catch(() => (c.said = before))
  }
}

$('compose').onsubmit = async (event) => {
  event.preventDefault()
  if (!state.me || !state.current || holding || !(await uploaded())) return
  const content = $('composer').value
  if ((!content.trim() && !files.list().length) || !fits(content)) return
  $('composer').value = ''
  drafts.delete(state.current)
  resize()
  const pending = { nonce: crypto.getRandomValues(new Uint32Array(2)).join('-'), channel: state.current, content, attachments: files.take(), since: Date.now() }
  state.pending.push(pending)
  lastTyping = 0
  send(pending)
  if (state.newer.get(state.current)) toNewest()
  messages.toEnd()
}

/** Waits for the files of a message, and reports whether it can go: all are there, and it is still wanted. */
async function uploaded() {
  const before = state
  const channel = state.current
  if (files.busy()) {
    complain('It is sent when its files are uploaded.')
    holding = true
    while (files.busy()) await files.settled() // more may have come meanwhile
    holding = false
    if (before !== state || channel !== state.current) return false
    complain()
  }
  const failed = files.list().find((f) => f.failed)
  if (failed) complain(`${failed.name} could not be uploaded: remove it.`)
  return !failed
}

/** Sends a message, if need be again: its nonce makes that harmless. What fails stays, to be tried again or discarded. */
async function send(pending) {
  const here = state
  pending.failed = ''
  messages.render(state)
  complain()
  const { channel, content, nonce, attachments } = pending
  try {
    const message = await gateway.call('SEND_MESSAGE', { channel_id: channel, content, nonce, attachments, enforce_nonce: true })
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
