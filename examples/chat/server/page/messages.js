// The list of messages. An element stays the same as long as its message does, so that a list that
// changes takes neither focus nor a half-made edit away.
import { attachments, inWords } from './attachments.js'
import { $, avatar, el } from './dom.js'
import { older } from './state.js'

const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const together = 5 * 60_000 // messages of one author within this stand in one block

export class Messages {
  #shown = new Map() // key → {node, version}
  #editing = null // {id, node} of the message being edited

  /** on: edit(message, content) → promise, remove(message), retry(pending), drop(pending), changed() */
  constructor(on) {
    this.on = on
    this.list = $('messages')
    this.list.onkeydown = (event) => this.#walk(event)
    const reach = (tabIndex) => (event) => {
      for (const b of event.target.closest('.message')?.querySelectorAll('.actions button, .attachments a') ?? []) b.tabIndex = tabIndex
    }
    this.list.addEventListener('focusout', reach(-1))
    this.list.addEventListener('focusin', reach(0))
  }

  render(state) {
    const atEnd = this.atEnd()
    const rows = [...state.list().map((m) => this.#row(m, state.me)), ...state.pending.filter((p) => p.channel === state.current).map((p) => this.#pendingRow(p, state.me))]
    const unread = state.line === null ? -1 : rows.findIndex((r) => r.author.id !== state.me.id && older(r.key, state.line) > 0)
    if (unread >= 0) rows[unread].unread = true
    this.#group(rows)
    const keys = new Set(rows.map((r) => r.key))
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null
    for (const [key, { node }] of this.#shown) {
      if (keys.has(key)) continue
      node.remove()
      this.#shown.delete(key)
    }
    const nodes = rows.map((row) => this.#node(row))
    let before = this.list.firstChild
    for (const node of nodes) {
      if (node === before) before = before.nextSibling
      else this.list.insertBefore(node, before)
    }
    if (focused && !this.list.contains(focused)) $('composer').focus()
    if (atEnd) this.toEnd()
  }

  atEnd() {
    const box = $('scroll')
    return box.scrollHeight - box.scrollTop - box.clientHeight < 80
  }

  toEnd() {
    $('scroll').scrollTop = $('scroll').scrollHeight
  }

  /** To where the new ones begin, or to the end. */
  toNew() {
    this.toEnd()
    const line = this.list.querySelector('.new')
    if (line && line.getBoundingClientRect().top < $('scroll').getBoundingClientRect().top) line.scrollIntoView({ block: 'start' })
  }

  /** Brings a message into view, to stay there until something else is asked for. */
  show(id) {
    const node = this.#shown.get(id)?.node
    if (!node) return
    node.scrollIntoView({ block: 'center' })
    node.focus({ preventScroll: true })
    node.classList.remove('found')
    void node.offsetWidth // begins the animation again
    node.classList.add('found')
  }

  // By keyboard the list is one stop for Tab; arrows walk in it, and Tab goes on to a message's buttons.
  #walk(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    if (!step || event.target.matches('textarea')) return
    event.preventDefault()
    const rows = [...this.list.children]
    const at = rows.indexOf(event.target.closest('.message'))
    const next = at < 0 ? rows.at(-1) : rows[at + step]
    next?.focus()
  }

  /** Begins to edit a message of one's own. */
  edit(message) {
    this.#editing = { id: message.id, node: this.#editor(message) }
    this.on.changed()
    this.#editing.node.querySelector('textarea').focus()
  }

  #stopEditing() {
    this.#editing = null
    this.on.changed()
    $('composer').focus()
  }

  #row(m, me) {
    const editing = this.#editing?.id === m.id
    return { key: m.id, author: m.author, at: new Date(m.timestamp), version: `${m.content}|${m.edited_timestamp}|${editing}`, build: () => this.#body(m, m.author.id === me.id, editing) }
  }

  #pendingRow(p, me) {
    return { key: `pending ${p.nonce}`, author: { id: me.id, username: me.name }, at: new Date(p.since), version: p.failed, build: () => this.#pendingBody(p) }
  }

  // A row begins a block when author, day or time change.
  #group(rows) {
    let last
    for (const row of rows) {
      row.newDay = !last || last.at.toDateString() !== row.at.toDateString()
      row.head = row.newDay || row.unread || last.author.id !== row.author.id || row.at - last.at > together
      row.version += `|${row.newDay}|${row.head}|${row.unread}`
      last = row
    }
  }

  #node(row) {
    const shown = this.#shown.get(row.key)
    if (shown?.version === row.version) return shown.node
    const focused = shown?.node.contains(document.activeElement) && document.activeElement
    const node = el('li', { className: row.head ? 'message head' : 'message', tabIndex: -1, data: { testid: 'message' } })
    if (row.newDay) node.append(el('p', { className: 'day', textContent: day.format(row.at) }))
    if (row.unread) node.append(el('p', { className: 'day new', textContent: 'New messages', data: { testid: 'new-messages' } }))
    if (row.head) {
      node.append(avatar(row.author.username, row.author.id))
      const when = el('time', { dateTime: row.at.toISOString(), textContent: time.format(row.at) })
      node.append(el('p', { className: 'author' }, el('strong', { textContent: row.author.username, data: { testid: 'message-author' } }), ' ', when))
    }
    node.append(...row.build())
    shown?.node.replaceWith(node)
    if (focused) (node.contains(focused) ? focused : node).focus() // an editor is the same element wherever it is put
    this.#shown.set(row.key, { node, version: row.version })
    return node
  }

  #body(m, mine, editing) {
    if (editing) return [this.#editing.node]
    const parts = []
    if (m.content) parts.push(el('p', { className: 'content', textContent: m.content, data: { testid: 'message-content' } }))
    if (m.edited_timestamp) parts.push(el('small', { className: 'edited', textContent: '(edited)' }))
    if (mine) {
      const button = (name, label, fn) => {
        const b = el('button', { type: 'button', textContent: name, tabIndex: -1, onclick: fn, data: { testid: name.toLowerCase() } })
        b.setAttribute('aria-label', `${label}: ${inWords(m).slice(0, 40)}`)
        return b
      }
      parts.push(el('span', { className: 'actions' }, button('Edit', 'Edit', () => this.edit(m)), button('Delete', 'Delete', () => this.on.remove(m))))
    }
    if (m.attachments.length) parts.push(attachments(m.attachments))
    return parts
  }

  #editor(m) {
    const input = el('textarea', { value: m.content, rows: Math.min(8, m.content.split('\n').length), data: { testid: 'edit-input' } })
    input.setAttribute('aria-label', 'Edit message. Enter saves, Escape cancels.')
    input.onkeydown = async (event) => {
      if (event.key === 'Escape') this.#stopEditing()
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
      event.preventDefault()
      if (input.value.trim() !== m.content && !(await this.on.edit(m, input.value))) return
      if (this.#editing?.id === m.id) this.#stopEditing()
    }
    return el('div', { className: 'editor' }, input, el('small', { textContent: 'Enter saves · Escape cancels' }))
  }

  #pendingBody(p) {
    const parts = [el('p', { className: 'content pending', textContent: p.content, data: { testid: 'message-content' } })]
    for (const a of p.attachments) parts.push(el('p', { className: 'pending', textContent: `📎 ${a.filename}` }))
    if (p.failed) {
      parts.push(
        el('p', { className: 'failed', data: { testid: 'not-sent' } }, `${p.failed} `, el('button', { type: 'button', textContent: 'Retry', onclick: () => this.on.retry(p) }), ' ', el('button', { type: 'button', textContent: 'Discard', onclick: () => this.on.drop(p) })),
      )
    }
    return parts
  }
}
