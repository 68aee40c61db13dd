import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launch, shoot, skip } from './browser.js'
import { Chat } from './chat.js'
import { Person, eventually } from './person.js'

test('people see each other', { skip }, async (t) => {
  const chat = await Chat.start(t)
  const browser = await launch(t)
  const ann = await Person.join(browser, chat.url, 'Ann')
  const ben = await Person.join(browser, chat.url, 'Ben')

  await t.test('shows both as online, to both', async () => {
    for (const person of [ann, ben]) {
      await person.sees('Ann', 'online')
      await person.sees('Ben', 'online')
    }
  })

  await t.test('shows a status that somebody chose', async () => {
    await ben.at('status-select').selectOption('dnd')
    await ann.sees('Ben', 'dnd')
    await shoot(ann.page, 'presence')
    await ben.at('status-select').selectOption('idle')
    await ann.sees('Ben', 'idle')
    await ben.at('status-select').selectOption('online')
    await ann.sees('Ben', 'online')
  })

  await t.test('shows who is invisible as offline, or not at all', async () => {
    await ben.at('status-select').selectOption('invisible')
    await ann.misses('Ben')
    await ben.at('status-select').selectOption('online')
    await ann.sees('Ben', 'online')
  })

  let benAgain
  await t.test('counts a person with two browsers once', async () => {
    benAgain = await Person.join(browser, chat.url, 'Ben')
    await benAgain.sees('Ann', 'online')
    await benAgain.say('me again')
    await ann.reads('me again')
    await ann.sees('Ben', 'online')
    await eventually('members on the page', 2, () => ann.at('member').count())
  })

  await t.test('keeps them online while one browser is left, and not after', async () => {
    await benAgain.page.context().close()
    await ben.say('still here')
    await ann.reads('still here')
    await ann.sees('Ben', 'online')
    await ben.page.context().close()
    await ann.misses('Ben')
  })

  await t.test('met no error in the page', () => {
    assert.deepEqual([...ann.errors, ...ben.errors, ...benAgain.errors], [])
  })
})
