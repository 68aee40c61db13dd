import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launch, shoot, skip } from './browser.js'
import { Chat } from './chat.js'
import { Person, eventually } from './person.js'

test('what is new is to be seen', { skip }, async (t) => {
  const chat = await Chat.start(t)
  const browser = await launch(t)
  const ben = chat.as('Ben')
  await ben.say('before anybody came')
  let ann = await Person.join(browser, chat.url, 'Ann')
  const tab = await Person.join(browser, chat.url, 'Ann')
  for (const person of [ann, tab]) await person.reads('before anybody came')
  const unread = (person, channel) => person.channel(channel).getByTestId('unread')

  await t.test('not what was there before one came, and not what one looks at', async () => {
    await ben.say('hello')
    for (const person of [ann, tab]) await person.reads('hello')
    for (const person of [ann, tab]) assert.equal(await person.at('unread').count() + (await person.at('new-messages').count()), 0)
  })

  await t.test('as a count at the channel, and a line where it begins', async () => {
    for (const text of ['one', 'two', 'three']) await ben.say(text, '3')
    for (const person of [ann, tab]) await eventually('unread', '3', () => unread(person, 'random').textContent())
    assert.match(await ann.page.title(), /^•/)
    await shoot(ann.page, 'unread')
    await ann.channel('random').click()
    await ann.readsAll('one', 'two', 'three')
    assert.equal(await ann.message('one').getByTestId('new-messages').count(), 1)
    await shoot(ann.page, 'unread-line')
  })

  await t.test('in all tabs of a person until one has read it', async () => {
    for (const person of [ann, tab]) await person.at('unread').waitFor({ state: 'detached' })
    assert.doesNotMatch(await tab.page.title(), /^•/)
  })

  await t.test('the line goes with the channel, or when one answers', async () => {
    await ann.channel('general').click()
    await ann.channel('random').click()
    await ann.reads('one')
    assert.equal(await ann.at('new-messages').count(), 0)
    await ann.leave()
    await ben.say('four', '3')
    await ann.message('four').getByTestId('new-messages').waitFor()
    assert.equal(await unread(ann, 'random').textContent(), '1')
    await ann.back()
    await ann.at('unread').waitFor({ state: 'detached' })
    assert.equal(await ann.at('new-messages').count(), 1)
    await ann.say('five')
    await ann.at('new-messages').waitFor({ state: 'detached' })
  })

  await t.test('after one was away, too', async () => {
    await ann.channel('general').click()
    await ann.reads('hello')
    await eventually('marks are told', 0, () => tab.at('unread').count())
    await ann.page.context().close()
    await tab.page.context().close()
    for (let i = 0; i < 60; i++) await ben.say(`while you were away ${i}`)
    await ben.say('and here', '3')
    ann = await Person.join(browser, chat.url, 'Ann')
    await eventually('unread', '1', () => unread(ann, 'random').textContent())
    await ann.reads('while you were away 59')
    await eventually('the line is in view', true, () => ann.at('new-messages').isVisible())
    await eventually('unread', '60', () => unread(ann, 'general').textContent()) // the end has not been looked at
    await ann.page.locator('#scroll').evaluate((el) => el.scrollTo(0, el.scrollHeight))
    await unread(ann, 'general').waitFor({ state: 'detached' })
  })

  await t.test('met no error in the page', () => assert.deepEqual([...ann.errors, ...tab.errors], []))
})
