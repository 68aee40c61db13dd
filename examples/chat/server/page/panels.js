// What stands around the messages: channels, members, who one is, who is typing, the connection.
import { $, avatar, el } from './dom.js'

const names = { online: 'online', idle: 'idle', dnd: 'do not disturb', offline: 'offline', invisible: 'invisible' }

export function renderChannels(state, open) {
  $('guild-name').textContent = state.guild
  const current = state.channels.get(state.current)
  $('channel-title').textContent = current ? `# ${current.name}` : ''
  $('composer').placeholder = current ? `Message #${current.name}` : ''
  document.title = `${[...state.channels.values()].some((c) => c.unread) ? '• ' : ''}${current ? `#${current.name} – ` : ''}${state.guild} chat`
  const focused = document.activeElement?.dataset.channel
  $('channel-list').replaceChildren(
    ...[...state.channels.values()].map((c) => {
      const button = el('button', { type: 'button', className: c.unread ? 'channel unread' : 'channel', onclick: () => open(c.id), data: { testid: 'channel', channel: c.id } }, el('span', { textContent: `# ${c.name}` }))
      if (c.unread) button.append(el('span', { className: 'count', textContent: c.unread > 99 ? '99+' : c.unread, data: { testid: 'unread' } }))
      if (c.id === state.current) button.setAttribute('aria-current', 'page')
      if (c.unread) button.setAttribute('aria-label', `# ${c.name}, ${c.unread === 1 ? '1 unread message' : `${c.unread} unread messages`}`)
      return el('li', {}, button)
    }),
  )
  if (focused) $('channel-list').querySelector(`[data-channel="${focused}"]`)?.focus()
}

export function renderMembers(state) {
  const people = state.people()
  const online = people.filter((p) => p.status !== 'offline').length
  $('members-title').textContent = `Members – ${online} online`
  $('member-list').replaceChildren(
    ...people.map((p) =>
      el(
        'li',
        { className: `member ${p.status}`, data: { testid: 'member' } },
        avatar(p.name, p.id),
        el('span', { className: 'dot', data: { testid: 'member-status', status: p.status }, title: names[p.status] }, el('span', { className: 'visually-hidden', textContent: `${names[p.status]}: ` })),
        el('span', { className: 'member-name', textContent: p.name }),
        p.id === state.me.id ? el('small', { textContent: 'you' }) : null,
      ),
    ),
  )
  $('me-name').textContent = state.me.name
  $('me-avatar').replaceWith(Object.assign(avatar(state.me.name, state.me.id), { id: 'me-avatar' }))
}

export function renderTyping(state) {
  const who = state.typists()
  const text = who.length === 0 ? '' : who.length === 1 ? `${who[0]} is typing…` : who.length === 2 ? `${who[0]} and ${who[1]} are typing…` : 'Several people are typing…'
  if ($('typing').textContent !== text) $('typing').textContent = text
}

let retryAt = 0

export function renderConnection(state, detail) {
  retryAt = detail
  const box = $('connection')
  box.dataset.state = state
  $('retry').hidden = state !== 'reconnecting'
  $('connection-text').textContent = { connecting: 'Connecting…', connected: 'Connected', reconnecting: 'Connection lost.', 'signed-out': 'Signed out' }[state]
  renderCountdown()
}

// Apart from the state, which screen readers say: nobody wants to hear every second.
export function renderCountdown() {
  const waiting = $('connection').dataset.state === 'reconnecting'
  $('countdown').textContent = waiting ? `Reconnecting in ${Math.max(1, Math.ceil((retryAt - Date.now()) / 1000))} s` : ''
}

// On a narrow screen the panels are drawers. The search is one that is not always there on a wide one either.
export function wireDrawers() {
  const narrow = matchMedia('(max-width: 900px)')
  const drawers = [
    ['open-channels', 'channels'],
    ['open-members', 'members'],
    ['open-search', 'search'],
  ]
  const show = (which) => {
    for (const [button, panel] of drawers) {
      $(panel).classList.toggle('open', panel === which)
      $(button).setAttribute('aria-expanded', String(panel === which))
    }
    $('shade').classList.toggle('open', Boolean(which))
  }
  for (const [button, panel] of drawers) {
    $(button).onclick = () => {
      const opening = !$(panel).classList.contains('open')
      show(opening ? panel : null)
      if (opening) $(panel).querySelector('button, input, select')?.focus()
    }
  }
  $('shade').onclick = () => show(null)
  document.addEventListener('keydown', (event) => {
    const open = drawers.find(([, panel]) => $(panel).classList.contains('open'))
    if (event.key !== 'Escape' || !open || event.target.closest('.editor')) return
    show(null)
    $(open[0]).focus()
  })
  return () => narrow.matches && show(null)
}
