import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launch, shoot, skip } from './browser.js'
import { Chat } from './chat.js'
import { Person, eventually } from './person.js'

/** A person whose WebSocket goes through hooks: up(message, forward) and down(message, forward). */
async function wired(browser, url, name, hooks, context = {}) {
  const page = await (await browser.newContext(context)).newPage()
  page.setDefaultTimeout(15000)
  const p = new Person(page, name)
  p.errors = []
  page.on('pageerror', (e) => p.errors.push(String(e)))
  await page.routeWebSocket(/gateway/, (ws) => {
    const server = ws.connectToServer()
    hooks.ws = ws
    hooks.server = server
    ws.onMessage((m) => (hooks.up ?? ((m, f) => f(m)))(JSON.parse(m), () => server.send(m)))
    server.onMessage((m) => (hooks.down ?? ((m, f) => f(m)))(JSON.parse(m), () => ws.send(m)))
  })
  await page.goto(url)
  await p.at('name-input').fill(name)
  await p.at('join').click()
  await p.connection('connected')
  return p
}
const only = (browser, chat, name) => Person.join(browser, chat.url, name)

test('the page copes with what goes wrong on the wire', { skip }, async (t) => {
  const chat = await Chat.start(t)
  const browser = await launch(t)

  await t.test('editor survives regrouping', async () => {
    const ann = await only(browser, chat, 'Ann')
    const ann2 = await only(browser, chat, 'Ann')
    await ann.say('one')
    await ann.say('two')
    await ann2.reads('two')
    await ann.message('two').hover()
    await ann.message('two').getByTestId('edit').click()
    await ann.at('edit-input').fill('two, half')
    await ann2.delete('one')
    await ann.message('one').waitFor({ state: 'detached' })
    await eventually('head', 1, () => ann.page.locator('.message.head').count())
    assert.equal(await ann.at('edit-input').inputValue(), 'two, half')
    assert.equal(await ann.page.evaluate(() => document.activeElement.dataset.testid), 'edit-input')
    await ann.page.keyboard.press('Escape')
    await ann.reads('two')
    assert.equal(await ann.page.evaluate(() => document.activeElement.dataset.testid), 'composer')
    assert.deepEqual(ann.errors, [])
    await ann.page.context().close()
    await ann2.page.context().close()
  })

  await t.test('lost reply: there once', async () => {
    const hooks = {}
    const bo = await wired(browser, chat.url, 'Bo', hooks)
    hooks.up = (m, f) => {
      f()
      if (m.op === 100 && m.d.t === 'SEND_MESSAGE') {
        hooks.down = () => {}
        setTimeout(() => {
          delete hooks.up
          delete hooks.down
          hooks.ws.close({ code: 4000 })
          hooks.server.close({ code: 4000 })
        }, 300)
      }
    }
    await bo.say('only once')
    await bo.connection('reconnecting')
    await bo.connection('connected')
    await bo.reads('only once')
    await eventually('not-sent', 0, () => bo.at('not-sent').count())
    assert.deepEqual(bo.errors, [])
    await bo.page.context().close()
  })

  await t.test('history that is late loses nothing', async () => {
    const cy = await only(browser, chat, 'Cy')
    const hooks = {}
    let late
    hooks.down = (m, f) => {
      if (m.op === 101 && m.d.d?.messages) late = f
      else f()
    }
    const di = await wired(browser, chat.url, 'Di', hooks)
    await eventually('history asked', true, async () => Boolean(late))
    await cy.say('meanwhile')
    await di.reads('meanwhile')
    late()
    await di.reads('only once')
    await di.reads('meanwhile')
    assert.deepEqual(di.errors, [])
    await di.page.context().close()
    await cy.page.context().close()
  })

  await t.test('typing and sending before READY is harmless', async () => {
    const hooks = {}
    let held = []
    const ed = await wired(browser, chat.url, 'Ed', hooks)
    hooks.down = (m, f) => (m.op === 0 ? held.push(f) : f()) // RESUMED, if the server lets it
    const sent = []
    hooks.up = (m, f) => {
      sent.push(m)
      f()
    }
    hooks.ws.close({ code: 4000 })
    hooks.server.close({ code: 4000 })
    await ed.connection('connecting')
    await eventually('hello', true, async () => held.length > 0)
    sent.length = 0
    await ed.say('early bird')
    await ed.at('not-sent').waitFor()
    await ed.at('status-select').selectOption('dnd')
    assert.deepEqual(sent, [])
    delete hooks.down
    held.forEach((f) => f())
    await ed.connection('connected')
    await eventually('status told', true, async () => sent.some((m) => m.op === 3 && m.d.status === 'dnd'))
    await ed.message('early bird').getByRole('button', { name: 'Retry' }).click()
    await ed.reads('early bird')
    await eventually('not-sent', 0, () => ed.at('not-sent').count())
    await ed.page.context().close()
  })

  await t.test('too long stays, with why; refused stays', async () => {
    const hooks = {}
    const fi = await wired(browser, chat.url, 'Fi', hooks)
    await fi.say('x'.repeat(2001))
    await fi.at('error').filter({ hasText: '2001' }).waitFor()
    assert.equal((await fi.at('composer').inputValue()).length, 2001)
    await fi.at('composer').fill('漢'.repeat(2000))
    await fi.at('send').click()
    await fi.reads('漢'.repeat(2000))
    hooks.up = (m, f) =>
      m.op === 100 && m.d.t === 'SEND_MESSAGE'
        ? hooks.ws.send(JSON.stringify({ op: 0, s: 9, t: 'RATE_LIMITED', d: { opcode: 100, retry_after: 7.2, meta: {} } }))
        : f()
    await fi.say('too fast')
    await fi.at('not-sent').filter({ hasText: 'in 8 s' }).waitFor()
    await shoot(fi.page, 'rate-limited')
    delete hooks.up
    await fi.page.reload()
    await fi.connection('connected')
    await fi.message('too fast').getByRole('button', { name: 'Retry' }).click()
    await fi.reads('too fast')
    await eventually('not-sent', 0, () => fi.at('not-sent').count())
    await fi.delete('漢'.repeat(2000))
    assert.deepEqual(fi.errors, [])
    await fi.page.context().close()
  })

  await t.test('keyboard walks the list', async () => {
    const gi = await only(browser, chat, 'Gi')
    await gi.say('g1')
    await gi.say('g2')
    await gi.reads('g2')
    await gi.page.locator('#messages').focus()
    const k = gi.page.keyboard
    await k.press('ArrowUp')
    await k.press('ArrowUp')
    await k.press('Tab')
    assert.equal(
      await gi.page.evaluate(
        () => document.activeElement.closest('li').textContent.includes('g1') && document.activeElement.dataset.testid,
      ),
      'edit',
    )
    await shoot(gi.page, 'keyboard-walk')
    await k.press('Tab')
    await k.press('Enter')
    await gi.message('g1').waitFor({ state: 'detached' })
    assert.equal(await gi.page.evaluate(() => document.activeElement.dataset.testid), 'composer')
    await k.press('ArrowUp')
    assert.equal(await gi.at('edit-input').inputValue(), 'g2')
    await k.press('Escape')
    assert.deepEqual(gi.errors, [])
    await gi.page.context().close()
  })

  await t.test('status by arrow keys gets through; two tabs share it', async () => {
    const context = await browser.newContext()
    const hal = new Person(await context.newPage(), 'Hal')
    await hal.page.goto(chat.url)
    await hal.at('name-input').fill('Hal')
    await hal.at('join').click()
    await hal.connection('connected')
    const two = new Person(await context.newPage(), 'Hal')
    await two.page.goto(chat.url)
    await two.connection('connected')
    const ida = await only(browser, chat, 'Ida')
    for (const s of ['idle', 'dnd', 'invisible', 'dnd', 'idle', 'online', 'idle', 'dnd']) await hal.at('status-select').selectOption(s)
    await eventually('other tab', 'dnd', () => two.at('status-select').inputValue())
    await hal.at('status-select').selectOption('idle')
    for (let i = 0; i < 2; i++) {
      try {
        await ida.sees('Hal', 'idle')
        break
      } catch (e) {
        if (i) throw e
      }
    }
    await context.close()
    await ida.page.context().close()
  })

  await t.test('a dead connection is noticed on waking; countdown ticks', async () => {
    const hooks = {}
    const jo = await wired(browser, chat.url, 'Jo', hooks)
    hooks.down = () => {}
    await jo.page.evaluate(() => dispatchEvent(new Event('online')))
    await jo.connection('reconnecting')
    delete hooks.down
    await jo.connection('connected')
    await chat.stop('SIGKILL')
    await jo.connection('reconnecting')
    const seen = new Set()
    await eventually('countdown ticks', true, async () => {
      seen.add(await jo.page.locator('#countdown').textContent())
      return seen.size > 3
    })
    await shoot(jo.page, 'phone-down')
    await jo.say('ok')
    await jo.at('not-sent').waitFor()
    await chat.start()
    await jo.connection('connected')
    assert.deepEqual(jo.errors, [])
    console.log([...seen])
  })
})
