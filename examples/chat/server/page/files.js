// Files on their way to a message: chosen, dropped or pasted, uploaded at once, shown above the composer.
import { $, el, size } from './dom.js'

const largest = 25 * 1024 * 1024 // bytes, as the server has it
const most = 10 // of a message, as the server has it
const why = {
  401: 'The server refused this name.',
  413: 'Too large.',
  415: 'Not taken: pictures, films, sounds, PDF and plain text are.',
  429: 'Too many files at once: try again in a minute.',
  503: 'The server is busy: try again.',
}

export class Files {
  #lists = new Map() // channel id → files: {name, node, request, hash: when it is uploaded, failed: why, done: promise}
  #channel = null

  /** on: token() of who uploads, allowed(), complain(why), layout(change): what is changed takes room from the messages */
  constructor(on) {
    this.on = on
    $('attach').onclick = () => $('file-input').click()
    $('file-input').onchange = () => {
      this.add($('file-input').files)
      $('file-input').value = ''
    }
    $('composer').onpaste = (event) => {
      if (!event.clipboardData.files.length || !on.allowed()) return
      event.preventDefault()
      this.add(event.clipboardData.files)
    }
    const talk = $('talk')
    const over = (event) => on.allowed() && event.dataTransfer.types.includes('Files')
    talk.ondragover = (event) => {
      if (!over(event)) return
      event.preventDefault()
      talk.classList.add('dropping')
    }
    talk.ondragleave = (event) => talk.contains(event.relatedTarget) || talk.classList.remove('dropping')
    talk.ondrop = (event) => {
      talk.classList.remove('dropping')
      if (!over(event)) return
      event.preventDefault()
      this.add(event.dataTransfer.files)
    }
  }

  /** Shows the files of a channel. */
  open(channel) {
    this.#channel = channel
    this.#render()
  }

  clear() {
    for (const f of [...this.#lists.values()].flat()) f.request?.abort()
    this.#lists.clear()
    this.#render()
  }

  add(files) {
    if (!this.on.allowed()) return
    const list = this.list()
    for (const file of files) {
      if (list.length >= most) {
        this.on.complain(`A message has at most ${most} files.`)
        break
      }
      list.push(this.#upload(file))
    }
    this.#lists.set(this.#channel, list)
    this.#render()
    $('composer').focus()
  }

  /** Those of the channel that is shown. */
  list() {
    return this.#lists.get(this.#channel) ?? []
  }

  /** Whether some are still being uploaded. */
  busy() {
    return this.list().some((f) => !f.hash && !f.failed)
  }

  /** Waits until none is. */
  async settled() {
    await Promise.all(this.list().map((f) => f.done))
  }

  /** Takes what is to go with a message of the channel that is shown. */
  take() {
    const attachments = this.list().map((f) => ({ filename: f.name, uploaded_filename: f.hash }))
    this.#lists.delete(this.#channel)
    this.#render()
    return attachments
  }

  #remove(f) {
    f.request?.abort()
    for (const [channel, list] of this.#lists) this.#lists.set(channel, list.filter((g) => g !== f))
    this.#render()
    $('composer').focus()
  }

  #render() {
    const list = this.list()
    this.on.layout(() => {
      $('files').hidden = !list.length
      $('files').replaceChildren(...list.map((f) => f.node))
    })
  }

  #upload(file) {
    const note = el('small', { textContent: size(file.size), data: { testid: 'file-note' } })
    const progress = el('progress', { max: 1, value: 0 })
    progress.setAttribute('aria-label', `Upload of ${file.name}`)
    const remove = el('button', { type: 'button', textContent: '×', title: 'Remove', onclick: () => this.#remove(f), data: { testid: 'file-remove' } })
    remove.setAttribute('aria-label', `Remove ${file.name}`)
    const f = { name: file.name, node: el('li', { className: 'chip', data: { testid: 'file', state: 'uploading' } }, el('span', { className: 'chip-name', textContent: file.name }), note, progress, remove) }
    const end = (state) => {
      f.node.dataset.state = state
      progress.remove()
    }
    const fail = (text) => {
      f.failed = note.textContent = text
      end('failed')
    }
    if (file.size === 0) fail('It is empty.')
    else if (file.size > largest) fail(`Too large: ${size(largest)} is the most.`)
    if (f.failed) return f
    const request = (f.request = new XMLHttpRequest())
    request.open('POST', `/media/?name=${encodeURIComponent(file.name)}`)
    request.setRequestHeader('Authorization', `Bearer ${latin(this.on.token())}`)
    request.upload.onprogress = ({ loaded, total }) => {
      progress.value = loaded / total
      note.textContent = `${Math.floor((100 * loaded) / total)} % of ${size(file.size)}`
    }
    f.done = new Promise((resolve) => (request.onloadend = resolve)) // whatever became of it
    request.onerror = () => fail('The connection was lost, or the file cannot be read.')
    request.onload = () => {
      if (request.status !== 201) return fail(why[request.status] ?? `The server answered ${request.status}.`)
      const { hash, url, type } = JSON.parse(request.responseText)
      f.hash = hash
      note.textContent = size(file.size)
      if (type.startsWith('image/')) f.node.prepend(el('img', { src: new URL(url, location).pathname, alt: '' }))
      end('done')
    }
    request.send(file)
    return f
  }
}

/** Text as a header takes it: a character for each byte of its UTF-8. */
function latin(text) {
  return String.fromCharCode(...new TextEncoder().encode(text))
}
