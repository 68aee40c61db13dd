import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launch, shoot, skip } from './browser.js'
import { Chat } from './chat.js'
import { Person } from './person.js'

test('two people talk', { skip }, async (t) => {
  const chat = await Chat.start(t)
  const browser = await launch(t)
  const ann = await Person.join(browser, chat.url, 'Ann')
  const ben = await Person.join(browser, chat.url, 'Ben')

  await t.test('reads what the other says, both ways and in order', async () => {
    await ann.say('ahoy Ben')
    await ben.reads('ahoy Ben')
    await ben.say('ahoy yourself')
    await ann.reads('ahoy yourself')
    await ann.say('how is the sea?')
    for (const person of [ann, ben]) await person.readsAll('ahoy Ben', 'ahoy yourself', 'how is the sea?')
    await shoot(ann.page, 'talk')
  })

  await t.test('shows text as text, whatever is in it', async () => {
    const text = '<img src=x onerror="document.title=1"> & zwölf 🦆'
    await ben.say(text)
    await ann.reads(text)
    assert.notEqual(await ann.page.title(), '1')
    assert.equal(await ann.at('message-content').locator('img').count(), 0)
  })

  await t.test('shows who is typing, and that they stopped', async () => {
    await ben.at('composer').pressSequentially('hm')
    await ann.at('typing').filter({ hasText: 'Ben' }).waitFor()
    await shoot(ann.page, 'typing')
    await ben.say('hm, calm')
    await ann.reads('hm, calm')
    // At once, not when the indicator would have run out by itself.
    await ann.at('typing').filter({ hasText: 'Ben' }).waitFor({ state: 'detached', timeout: 3000 })
  })

  await t.test('shows an edit', async () => {
    await ann.say('see you at nien')
    await ben.reads('see you at nien')
    await ann.edit('see you at nien', 'see you at nine')
    for (const person of [ann, ben]) {
      await person.reads('see you at nine')
      assert.equal(await person.message('see you at nien').count(), 0)
    }
  })

  await t.test('takes a deleted message away', async () => {
    await ann.say('never mind')
    await ben.reads('never mind')
    await ann.delete('never mind')
    for (const person of [ann, ben]) await person.message('never mind').waitFor({ state: 'detached' })
  })

  await t.test('offers edit and delete on one’s own messages only', async () => {
    await ben.reads('ahoy Ben')
    await ben.message('ahoy Ben').hover()
    assert.equal(await ben.message('ahoy Ben').getByTestId('edit').count(), 0)
    assert.equal(await ben.message('ahoy Ben').getByTestId('delete').count(), 0)
  })

  await t.test('keeps channels apart', async () => {
    await ben.at('channel-input').fill('harbour')
    await ben.at('channel-create').click()
    await ben.readsAll()
    await ben.say('only in the harbour')
    await ben.readsAll('only in the harbour')
    await ann.channel('harbour').waitFor()
    assert.equal(await ann.message('only in the harbour').count(), 0)
    await ann.channel('harbour').click()
    await ann.readsAll('only in the harbour')
    await ann.channel('general').click()
    await ann.reads('ahoy Ben')
    assert.equal(await ann.message('only in the harbour').count(), 0)
  })

  await t.test('met no error in the page', () => {
    assert.deepEqual([...ann.errors, ...ben.errors], [])
  })
})
