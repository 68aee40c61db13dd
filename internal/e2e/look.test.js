import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launch, shoot, skip } from './browser.js'
import { Chat } from './chat.js'
import { Person, eventually } from './person.js'

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }

test('the page suits people and machines', { skip }, async (t) => {
  const chat = await Chat.start(t)
  const browser = await launch(t)

  await t.test('fits a phone', async () => {
    const ann = await Person.join(browser, chat.url, 'Ann', phone)
    await ann.say(`from the tram, with a l${'o'.repeat(80)}ng word`)
    await ann.at('message').first().waitFor()
    const cut = await ann.at('message').first().evaluate((el) => el.scrollWidth > el.clientWidth)
    assert.ok(!cut, 'a long word leaves its message')
    const widths = await ann.page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.ok(widths[0] <= widths[1], `the page is ${widths[0]} px wide in a window of ${widths[1]}`)
    for (const id of ['composer', 'send', 'message']) assert.ok(await onScreen(ann.at(id).first()), `${id} is not on the screen`)
    assert.ok(!(await onScreen(ann.member('Ann'))), 'the list of members takes the messages’ room')
    await shoot(ann.page, 'phone')
    await ann.page.getByRole('button', { name: 'Members' }).click()
    await eventually('members on the screen', true, () => onScreen(ann.member('Ann')))
    await shoot(ann.page, 'phone-members')
  })

  await t.test('is dark where the system is, and light where it is not', async () => {
    for (const colorScheme of ['light', 'dark']) {
      const ann = await Person.join(browser, chat.url, 'Ann', { colorScheme })
      await ann.say(`${colorScheme} side`)
      await ann.reads(`${colorScheme} side`)
      await shoot(ann.page, colorScheme)
      const { ground, ink } = await colours(ann)
      assert.ok(colorScheme === 'dark' ? ground < ink : ground > ink, `${colorScheme}: ground ${ground}, ink ${ink}`)
      assert.ok(contrast(ground, ink) >= 4.5, `${colorScheme}: contrast ${contrast(ground, ink)}, want 4.5`)
    }
  })

  await t.test('can be switched from light to dark, and stays so', async () => {
    const ann = await Person.join(browser, chat.url, 'Ann', { colorScheme: 'light' })
    await ann.at('message').first().waitFor()
    const light = await colours(ann)
    await ann.at('theme-toggle').click()
    const dark = await colours(ann)
    assert.ok(dark.ground < light.ground, `ground was ${light.ground}, is ${dark.ground}`)
    await ann.page.reload()
    await ann.at('theme-toggle').waitFor()
    assert.equal((await colours(ann)).ground, dark.ground)
  })

  await t.test('needs no mouse', async () => {
    const page = await (await browser.newContext()).newPage()
    await page.goto(chat.url)
    const ben = new Person(page, 'Ben')
    await ben.tabTo('name-input')
    await page.keyboard.type('Ben')
    await page.keyboard.press('Enter')
    await ben.connection('connected')
    await ben.tabTo('composer')
    await page.keyboard.type('look, no hands')
    await page.keyboard.press('Enter')
    await ben.reads('look, no hands')
    await ben.tabTo('status-select')
    await ben.tabTo('theme-toggle')
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none', 'focus is not to be seen')
    await shoot(page, 'keyboard')
  })

  await t.test('loads nothing from elsewhere', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const asked = []
    page.on('request', (request) => asked.push(new URL(request.url()).host))
    await page.goto(chat.url)
    await page.getByTestId('name-input').waitFor()
    assert.deepEqual([...new Set(asked)], [new URL(chat.url).host])
  })
})

/** Whether a phone shows the whole of an element. */
async function onScreen(locator) {
  const { width, height } = phone.viewport
  const box = await locator.boundingBox()
  return box !== null && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height
}

/** Relative luminances of the first message's text and of what is behind it. */
async function colours(person) {
  const [ground, ink] = await person.at('message-content').first().evaluate((el) => {
    let behind = el
    const clear = (node) => /^(transparent|rgba\(.*, 0\))$/.test(getComputedStyle(node).backgroundColor)
    while (clear(behind) && behind.parentElement) behind = behind.parentElement
    const paint = document.createElement('canvas').getContext('2d')
    return [getComputedStyle(behind).backgroundColor, getComputedStyle(el).color].map((colour) => {
      paint.fillStyle = colour
      paint.fillRect(0, 0, 1, 1)
      return [...paint.getImageData(0, 0, 1, 1).data]
    })
  })
  return { ground: luminance(ground), ink: luminance(ink) }
}

// Luminance and contrast as WCAG 2 defines them.
function luminance(rgb) {
  const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a, b) {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}
