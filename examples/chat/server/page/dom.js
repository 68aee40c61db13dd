// Small help for making elements. Text is only ever set as text.

export const $ = (id) => document.getElementById(id)

/** Makes an element: properties, data (for data-…) and children, strings among them. */
export function el(tag, { data = {}, ...props } = {}, ...children) {
  const node = Object.assign(document.createElement(tag), props)
  Object.assign(node.dataset, data)
  node.append(...children.filter((c) => c != null))
  return node
}

/** Bytes, as people say them. */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`
  const kilo = bytes / 1024
  return kilo < 1000 ? `${Math.round(kilo)} KB` : `${(kilo / 1024).toFixed(1).replace(/\.0$/, '')} MB`
}

/** A person's initial on a colour that stays theirs. */
export function avatar(name, id) {
  const hue = [...String(id)].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 12, 7)
  const node = el('span', { className: `avatar hue${hue}`, textContent: [...name][0]?.toUpperCase() ?? '?' })
  node.setAttribute('aria-hidden', 'true')
  return node
}
