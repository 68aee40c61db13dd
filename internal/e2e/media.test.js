import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { launch, shoot, skip } from './browser.js'
import { Chat } from './chat.js'
import { Person, eventually } from './person.js'

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }

test('messages have files', { skip }, async (t) => {
  const chat = await Chat.start(t)
  const browser = await launch(t)
  const ann = await Person.join(browser, chat.url, 'Änn', { colorScheme: 'light' })
  const ben = await Person.join(browser, chat.url, 'Ben', { colorScheme: 'dark' })
  const sea = { name: 'the sea.png', mimeType: 'image/png', buffer: png(800, 450) }

  await t.test('a picture is seen by others, in its place, and is still there after a reload', async () => {
    await ann.at('file-input').setInputFiles([sea, { name: 'log.txt', mimeType: 'text/plain', buffer: Buffer.from('all is well') }])
    await ann.page.locator('[data-testid=file][data-state=done]').nth(1).waitFor()
    await shoot(ann.page, 'media-composer')
    await ann.say('look at the sea')
    for (const person of [ann, ben]) await seesPicture(person, 'look at the sea', 400, 225)
    assert.equal(await ann.at('file').count(), 0, 'files are left in the composer')
    await ben.page.reload()
    await seesPicture(ben, 'look at the sea', 400, 225)
    await shoot(ann.page, 'media-light')
    await shoot(ben.page, 'media-dark')
  })

  await t.test('a file is a link that saves it', async () => {
    const link = ben.message('look at the sea').getByTestId('file-link')
    const [download] = await Promise.all([ben.page.waitForEvent('download'), link.click()])
    assert.equal(download.suggestedFilename(), 'log.txt')
  })

  await t.test('without words, by drag and drop, and by paste', async () => {
    for (const how of ['drop', 'paste']) {
      const before = await ben.at('image').count()
      await give(ann, how, png(60, 40), `${how}.png`)
      await ann.page.locator('[data-testid=file][data-state=done]').waitFor()
      await ann.at('send').click()
      await eventually('pictures', before + 1, () => ben.at('image').count())
      assert.equal(await ben.at('image').last().getAttribute('alt'), `${how}.png`)
    }
  })

  await t.test('a message waits for its files', async () => {
    await ann.page.route('**/media/?name=*', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1000))
      await route.continue()
    })
    await ann.at('file-input').setInputFiles(sea)
    await ann.say('sent too soon')
    await ann.at('error').filter({ hasText: 'uploaded' }).waitFor()
    await seesPicture(ben, 'sent too soon', 400, 225)
    await ann.page.unroute('**/media/?name=*')
  })

  await t.test('says what cannot be sent, and why', async () => {
    const files = [
      ['page.html', Buffer.from('<!doctype html><script>alert(1)</script>'), 'Not taken'],
      ['drawing.svg', Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'), 'Not taken'],
      ['large.txt', Buffer.alloc(25 * 1024 * 1024 + 1, 'x'), 'Too large'],
      ['empty.txt', Buffer.alloc(0), 'empty'],
    ]
    for (const [name, buffer, why] of files) {
      await ann.at('file-input').setInputFiles({ name, mimeType: 'text/plain', buffer })
      const chip = ann.at('file').filter({ hasText: name })
      await chip.getByTestId('file-note').filter({ hasText: why }).waitFor()
    }
    await shoot(ann.page, 'media-refused')
    await ann.at('composer').fill('with all that')
    await ann.at('send').click()
    await ann.at('error').filter({ hasText: 'could not be uploaded' }).waitFor()
    for (const _ of files) await ann.at('file-remove').first().click()
    assert.equal(await ann.at('file').count(), 0)
    await ann.at('send').click()
    await ben.reads('with all that')
  })

  await t.test('fits a phone', async () => {
    const cem = await Person.join(browser, chat.url, 'Cem', phone)
    await seesPicture(cem, 'look at the sea')
    await cem.at('file-input').setInputFiles(sea)
    await cem.page.locator('[data-testid=file][data-state=done]').waitFor()
    await cem.message('look at the sea').scrollIntoViewIfNeeded()
    await shoot(cem.page, 'media-phone')
    const widths = await cem.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.ok(widths[0] <= widths[1], `the page is ${widths[0]} px wide in a window of ${widths[1]}`)
    const box = await cem.message('look at the sea').getByTestId('image').boundingBox()
    assert.ok(box.x + box.width <= phone.viewport.width, 'the picture is cut')
    assert.ok(Math.abs(box.width / box.height - 16 / 9) < 0.02, `it is ${box.width} by ${box.height}`)
    assert.deepEqual(cem.errors, [])
  })

  await t.test('met no error in the page', () => {
    assert.deepEqual([...ann.errors, ...ben.errors], [])
  })
})

/** Waits until the picture of a message has been loaded, in a box of this size. */
async function seesPicture(person, text, width, height) {
  await person.reads(text)
  const image = person.message(text).getByTestId('image')
  await image.waitFor()
  await eventually(`${person.name} sees the picture`, true, () => image.evaluate((img) => img.complete && img.naturalWidth > 0))
  if (!width) return
  const box = await image.boundingBox()
  assert.deepEqual([box.width, box.height], [width, height])
}

/** Drops a file on the conversation, or pastes it into the composer. */
async function give(person, how, bytes, name) {
  await person.page.evaluate(
    ([how, bytes, name]) => {
      const data = new DataTransfer()
      data.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/png' }))
      if (how === 'drop') {
        const talk = document.querySelector('main.talk')
        for (const type of ['dragover', 'drop']) talk.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }))
      } else {
        document.querySelector('[data-testid=composer]').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
      }
    },
    [how, [...bytes], name],
  )
}

/** A picture of a sky above a sea, of 8 bits and three colours. */
function png(width, height) {
  const rows = Buffer.alloc((1 + 3 * width) * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sea = y > height / 2 + 6 * Math.sin(x / 25)
      rows.set(sea ? [20, 80 + ((x + y) % 40), 140] : [150 + (y % 100), 200, 240], y * (1 + 3 * width) + 1 + 3 * x)
    }
  }
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data])
    const ends = Buffer.alloc(8)
    ends.writeUInt32BE(data.length, 0)
    ends.writeUInt32BE(crc(body), 4)
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}

function crc(data) {
  let c = ~0
  for (const byte of data) {
    c ^= byte
    for (let i = 0; i < 8; i++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  }
  return ~c >>> 0
}
