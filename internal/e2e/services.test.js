import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launch, shoot, skip } from './browser.js'
import { Chat, servicesCommand } from './chat.js'
import { eventually } from './person.js'

// Somebody in front of the page of examples/services.
async function join(browser, url, name, context = {}) {
  const page = await (await browser.newContext(context)).newPage()
  page.setDefaultTimeout(15_000)
  const errors = []
  page.on('pageerror', (err) => errors.push(String(err)))
  const at = (id) => page.getByTestId(id)
  const signIn = async () => {
    await at('name').fill(name)
    await at('join').click()
    await page.getByText(`connected as ${name}`).waitFor()
  }
  await page.goto(url)
  await eventually('the services are there', 200, async () => (await page.request.get(`${url}/inbox/nobody`)).status())
  await signIn()
  return {
    page, at, errors, signIn,
    say: async (text) => {
      await at('content').fill(text)
      await at('content').press('Enter')
    },
    reads: (...texts) => eventually(`${name} reads`, texts.join(), async () => (await at('message').locator('span').allTextContents()).join()),
    sees: (who, status) => page.locator(`[data-testid=member][data-user=${who}][data-status=${status}]`).waitFor(),
    inbox: (...texts) => eventually(`the inbox`, texts.join(), async () => (await at('inbox').locator('span').allTextContents()).join()),
  }
}

test('services: who is away has what is said in the inbox', { skip }, async (t) => {
  const { url } = await Chat.start(t, servicesCommand)
  const browser = await launch(t)
  const ann = await join(browser, url, 'ann')
  const ben = await join(browser, url, 'ben', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' })
  await ann.sees('ben', 'online')
  await ann.say('hello <b>ben</b>')
  await ben.reads('hello <b>ben</b>')
  await shoot(ben.page, 'services-phone')
  await ben.at('leave').click()
  await ann.sees('ben', 'offline')
  await ann.say('are you there?')
  await ann.reads('hello <b>ben</b>', 'are you there?')
  await ann.at('member').filter({ hasText: 'ben' }).click()
  await ann.inbox('are you there?')
  await shoot(ann.page, 'services')
  await ben.signIn()
  await ben.reads('hello <b>ben</b>', 'are you there?')
  await ann.sees('ben', 'online')
  await ann.page.reload()
  await ann.signIn()
  await ann.reads('hello <b>ben</b>', 'are you there?')
  assert.deepEqual([...ann.errors, ...ben.errors], [])
})
