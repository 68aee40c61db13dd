// The panel that finds messages by their words.
import { $, el } from './dom.js'
import { inWords } from './attachments.js'

const when = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const shortest = 300 // characters that are shown of a message

export class Search {
  #names = new Map() // channel id → name
  #query = null
  #last // the message from which the next page goes on

  /** on: find(query) → promise of {messages, more}, open(message) */
  constructor(on) {
    this.on = on
    $('search-form').onsubmit = (event) => {
      event.preventDefault()
      const text = $('search-text').value.trim()
      if (!text) return
      this.#query = { text, channel_id: $('search-where').value || undefined }
      this.#find()
    }
    $('search-more').onclick = () => this.#find(this.#last)
    document.addEventListener('keydown', (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.key !== 'k' || $('chat').hidden) return
      event.preventDefault()
      if (!$('search').classList.contains('open')) $('open-search').click()
      $('search-text').select()
    })
  }

  channels(state) {
    this.#names = new Map([...state.channels.values()].map((c) => [c.id, c.name]))
    const chosen = $('search-where').value
    $('search-where').replaceChildren(el('option', { value: '', textContent: 'in all channels' }), ...[...this.#names].map(([value, name]) => el('option', { value, textContent: `in #${name}` })))
    $('search-where').value = this.#names.has(chosen) ? chosen : ''
  }

  clear() {
    this.#query = null
    $('search-text').value = $('search-status').textContent = ''
    $('search-list').replaceChildren()
    $('search-more').hidden = true
  }

  async #find(before) {
    const query = this.#query
    $('search-more').hidden = true
    if (!before) $('search-list').replaceChildren()
    $('search-status').textContent = 'Searching…'
    try {
      const { messages, more } = await this.on.find({ ...query, before })
      if (query !== this.#query) return
      this.#last = messages.at(-1)?.id
      const words = query.text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
      const rows = messages.map((m) => this.#row(m, words))
      $('search-list').append(...rows)
      if (before) rows[0]?.firstChild.focus() // the button that had it is gone
      const n = $('search-list').children.length
      $('search-status').textContent = n === 0 ? 'Nothing was found.' : more ? `The newest ${n}:` : n === 1 ? '1 message' : `${n} messages`
      $('search-more').hidden = !more
    } catch (err) {
      if (query === this.#query) $('search-status').textContent = err.code === 'OFFLINE' ? 'Not connected: try again when the connection is back.' : err.message
    }
  }

  #row(m, words) {
    const said = inWords(m)
    const text = said.length > shortest ? `${said.slice(0, shortest)}…` : said
    const parts = text.split(/([\p{L}\p{N}\p{M}]+)/u).map((part) => (words.includes(part.toLowerCase()) ? el('mark', { textContent: part }) : part))
    const about = el('span', { className: 'about' }, el('strong', { textContent: m.author.username }), ` in #${this.#names.get(m.channel_id) ?? '?'} · ${when.format(new Date(m.timestamp))}`)
    return el('li', {}, el('button', { type: 'button', className: 'result', onclick: () => this.on.open(m), data: { testid: 'result' } }, about, el('span', { className: 'excerpt' }, ...parts)))
  }
}
