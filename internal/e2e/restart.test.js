import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launch, shoot, skip } from './browser.js'
import { Chat } from './chat.js'
import { Person } from './person.js'

for (const { signal, exit } of [
  { signal: 'SIGTERM', exit: 0 },
  { signal: 'SIGINT', exit: 0 },
  { signal: 'SIGKILL', exit: 'SIGKILL' },
]) {
  test(`pages and history survive a restart: ${signal}`, { skip }, async (t) => {
    const chat = await Chat.start(t)
    const browser = await launch(t)
    const ann = await Person.join(browser, chat.url, 'Ann')
    const ben = await Person.join(browser, chat.url, 'Ben')
    await ann.say('before, from Ann')
    await ben.reads('before, from Ann')
    await ben.say('before, from Ben')
    await ann.reads('before, from Ben')

    assert.equal(await chat.stop(signal), exit)
    for (const person of [ann, ben]) await person.connection('reconnecting')
    await shoot(ann.page, `restart-${signal}-down`)

    await chat.start()
    for (const person of [ann, ben]) await person.connection('connected')
    for (const person of [ann, ben]) await person.readsAll('before, from Ann', 'before, from Ben')
    for (const person of [ann, ben]) {
      await person.sees('Ann', 'online')
      await person.sees('Ben', 'online')
    }

    await ann.say('after, from Ann')
    await ben.reads('after, from Ann')
    await ben.say('after, from Ben')
    await ann.reads('after, from Ben')
    const all = ['before, from Ann', 'before, from Ben', 'after, from Ann', 'after, from Ben']
    for (const person of [ann, ben]) await person.readsAll(...all)
    await shoot(ann.page, `restart-${signal}-back`)

    const cyd = await Person.join(browser, chat.url, 'Cyd')
    await cyd.readsAll(...all)
    assert.deepEqual([...ann.errors, ...ben.errors, ...cyd.errors], [])
  })
}

test('a message that met no server can be sent again', { skip }, async (t) => {
  const chat = await Chat.start(t)
  const browser = await launch(t)
  const ann = await Person.join(browser, chat.url, 'Ann')
  const ben = await Person.join(browser, chat.url, 'Ben')
  await chat.stop('SIGKILL')
  await ann.connection('reconnecting')
  await ann.say('is anybody there?')
  await ann.message('is anybody there?').getByTestId('not-sent').waitFor()
  await shoot(ann.page, 'not-sent')

  await chat.start()
  for (const person of [ann, ben]) await person.connection('connected')
  await ann.message('is anybody there?').getByRole('button', { name: 'Retry' }).click()
  for (const person of [ann, ben]) await person.readsAll('is anybody there?')
  await ann.at('not-sent').waitFor({ state: 'detached' })
})
