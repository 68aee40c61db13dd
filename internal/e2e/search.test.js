import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launch, shoot, skip } from './browser.js'
import { Chat } from './chat.js'
import { Person, eventually } from './person.js'

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }

test('what was said is found', { skip }, async (t) => {
  const chat = await Chat.start(t)
  const browser = await launch(t)
  const ben = chat.as('Ben')
  for (let i = 0; i < 130; i++) await ben.say(i === 10 ? 'the lighthouse keeper waves' : `wave number ${i}`)
  await ben.say('another Lighthouse', '3')
  const ann = await Person.join(browser, chat.url, 'Ann')
  await ann.reads('wave number 129')

  await t.test('newest first, with its words marked', async () => {
    await ann.search('LIGHTHOUSE')
    assert.equal(await ann.at('search-status').textContent(), '2 messages')
    const texts = await ann.at('result').allTextContents()
    assert.match(texts[0], /another Lighthouse/)
    assert.match(texts[1], /the lighthouse keeper waves/)
    assert.equal(await ann.at('result').first().locator('mark').textContent(), 'Lighthouse')
    await shoot(ann.page, 'search')
  })

  await t.test('and is jumped to, however far away it is', async () => {
    assert.equal(await ann.message('the lighthouse keeper waves').count(), 0)
    await ann.at('result').nth(1).click()
    await ann.reads('the lighthouse keeper waves')
    await eventually('the message is in view', true, () => ann.inView('the lighthouse keeper waves'))
    assert.ok(await ann.message('the lighthouse keeper waves').evaluate((el) => el === document.activeElement), 'the message has no focus')
    await shoot(ann.page, 'search-jump')
    await ann.at('newer').click() // at the end of what is there
    await ann.reads('wave number 99')
    assert.ok(await ann.inView('wave number 49'), 'the page has moved')
  })

  await t.test('what is said meanwhile comes when one is back at the end', async () => {
    await ben.say('meanwhile')
    await ann.at('unread').waitFor()
    assert.equal(await ann.message('meanwhile').count(), 0)
    await ann.at('newest').click()
    await ann.reads('meanwhile')
    await ann.at('unread').waitFor({ state: 'detached' })
    await ben.say('and then')
    await ann.reads('and then')
  })

  await t.test('in another channel, too, or in one alone', async () => {
    await ann.at('result').first().click()
    await ann.readsAll('another Lighthouse')
    await ann.at('search-where').selectOption({ label: 'in #general' })
    await ann.search('lighthouse')
    await eventually('results', 1, () => ann.at('result').count())
    await ann.at('search-where').selectOption({ label: 'in all channels' })
    await ann.search('wave')
    await eventually('results', 25, () => ann.at('result').count())
    await ann.at('search-more').click()
    await eventually('more results', 50, () => ann.at('result').count())
    await ann.search('submarine')
    await ann.at('search-status').getByText('Nothing was found.').waitFor()
  })

  await t.test('by keyboard alone', async () => {
    await ann.page.keyboard.press('Escape')
    await ann.at('search-input').waitFor({ state: 'hidden' })
    await ann.page.keyboard.press('Control+k')
    await ann.page.keyboard.type('keeper')
    await ann.page.keyboard.press('Enter')
    await ann.at('search-status').getByText('1 message', { exact: true }).waitFor()
    await ann.tabTo('result')
    await ann.page.keyboard.press('Enter')
    await ann.reads('the lighthouse keeper waves')
    await eventually('the message is in view', true, () => ann.inView('the lighthouse keeper waves'))
  })

  await t.test('on a phone', async () => {
    const cyd = await Person.join(browser, chat.url, 'Cyd', { ...phone, colorScheme: 'dark' })
    await cyd.search('lighthouse')
    await eventually('results', 2, () => cyd.at('result').count())
    await cyd.page.waitForTimeout(300) // the drawer is on its way
    await shoot(cyd.page, 'phone-search')
    const widths = await cyd.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.ok(widths[0] <= widths[1], `the page is ${widths[0]} px wide in a window of ${widths[1]}`)
    await cyd.at('result').nth(1).click()
    await eventually('the message is in view', true, () => cyd.inView('the lighthouse keeper waves'))
    await cyd.at('search-input').waitFor({ state: 'hidden' })
    await shoot(cyd.page, 'phone-search-jump')
    assert.deepEqual(cyd.errors, [])
  })

  await t.test('met no error in the page', () => assert.deepEqual(ann.errors, []))
})
