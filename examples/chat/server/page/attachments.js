// The files of a message that is there: pictures are shown, in a box whose size is known before they are loaded.
import { el, size } from './dom.js'

const shown = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp']
const most = { width: 400, height: 300 } // pixels of a picture
const unknown = { width: 320, height: 240 }

export function attachments(list) {
  return list.length ? el('div', { className: 'attachments' }, ...list.map(attachment)) : null
}

function attachment(a) {
  const href = new URL(a.url, location).pathname // of this server, whatever it calls itself
  if (!shown.includes(a.content_type)) {
    return el('a', { className: 'file', href, download: a.filename, tabIndex: -1, data: { testid: 'file-link' } }, el('span', { textContent: a.filename }), el('small', { textContent: size(a.size) }))
  }
  const image = el('img', { src: href, alt: a.filename, ...box(a), data: { testid: 'image' } })
  return el('a', { className: 'picture', href, target: '_blank', rel: 'noopener', title: `${a.filename}, ${size(a.size)}`, tabIndex: -1 }, image)
}

/** How large a picture is shown: as it is, or as much smaller as it must be. */
function box({ width, height }) {
  if (!width || !height) return unknown
  const scale = Math.min(1, most.width / width, most.height / height)
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** What a message says, in a line of text. */
export function inWords(m) {
  return [m.content, ...m.attachments.map((a) => a.filename)].filter(Boolean).join(' · ')
}
