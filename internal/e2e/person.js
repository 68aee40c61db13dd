// A person in front of the chat page: what they do, and what they see. All that tests know of the
// page's markup is here, by the data-testid attributes that examples/chat/README.md lists.

const patience = 15_000 // ms; how long what must happen may take

export class Person {
  constructor(page, name) {
    this.page = page
    this.name = name
  }

  /** Opens the chat as somebody with a browser of their own, and signs in. */
  static async join(browser, url, name, context = {}) {
    const page = await (await browser.newContext(context)).newPage()
    page.setDefaultTimeout(patience)
    const person = new Person(page, name)
    person.errors = []
    page.on('pageerror', (err) => person.errors.push(String(err)))
    await page.goto(url)
    await person.at('name-input').fill(name)
    await person.at('join').click()
    await person.connection('connected')
    return person
  }

  at(id) {
    return this.page.getByTestId(id)
  }

  /** Waits until the page says that its connection is in this state. */
  async connection(state) {
    await this.page.locator(`[data-testid=connection-state][data-state=${state}]`).waitFor()
  }

  async say(text) {
    await this.at('composer').fill(text)
    await this.at('send').click()
  }

  /** The message whose content is exactly this. */
  message(text) {
    const content = this.at('message-content').getByText(text, { exact: true })
    return this.at('message').filter({ has: content })
  }

  /** Waits until the message is on the page, once. */
  async reads(text) {
    await this.message(text).first().waitFor()
    await eventually(`${this.name} reads ${JSON.stringify(text)} once`, 1, () => this.message(text).count())
  }

  /** Waits until the contents of all messages on the page are these, in this order. */
  async readsAll(...texts) {
    await eventually(`${this.name} reads all`, JSON.stringify(texts), async () => JSON.stringify(await this.at('message-content').allTextContents()))
  }

  async edit(text, to) {
    await this.message(text).hover()
    await this.message(text).getByTestId('edit').click()
    await this.at('edit-input').fill(to)
    await this.at('edit-input').press('Enter')
  }

  async delete(text) {
    await this.message(text).hover()
    await this.message(text).getByTestId('delete').click()
  }

  /** The entry of a person in the list of members. */
  member(name) {
    return this.at('member').filter({ hasText: name })
  }

  /** Waits until somebody is in the list of members, once, with this status. */
  async sees(name, status) {
    await this.member(name).locator(`[data-testid=member-status][data-status=${status}]`).waitFor({ state: 'attached' })
    await eventually(`${this.name} sees ${name} once`, 1, () => this.member(name).count())
  }

  /** Waits until somebody is not in the list of members, or is there as offline. */
  async misses(name) {
    const online = this.member(name).locator('[data-testid=member-status]:not([data-status=offline])')
    await eventually(`${this.name} misses ${name}`, 0, () => online.count())
  }

  /** Looks for words, in the panel that is opened if need be, and waits for an answer. */
  async search(words) {
    if (!(await this.at('search-input').isVisible())) await this.at('open-search').click()
    await this.at('search-input').fill(words)
    await this.at('search-input').press('Enter')
    await this.at('search-status').filter({ hasNotText: 'Searching' }).filter({ hasText: /./ }).waitFor()
  }

  /** Whether a message is where it can be seen. */
  async inView(text) {
    const [box, around] = await Promise.all([this.message(text).first().boundingBox(), this.page.locator('#scroll').boundingBox()])
    return box !== null && box.y >= around.y - 1 && box.y + box.height <= around.y + around.height + 1
  }

  /** Looks at something else than this page. */
  async leave() {
    await this.page.evaluate(() => (document.hasFocus = () => false))
  }

  /** Looks at it again. */
  async back() {
    await this.page.evaluate(() => {
      delete document.hasFocus
      dispatchEvent(new Event('focus'))
    })
  }

  /** The button that opens a channel. */
  channel(name) {
    return this.at('channel').filter({ hasText: name })
  }

  /** Moves the focus with the Tab key alone until it is where it should be. */
  async tabTo(id) {
    const seen = []
    for (let i = 0; i < 60; i++) {
      const focused = await this.page.evaluate(() => document.activeElement?.dataset.testid)
      if (focused === id) return
      seen.push(focused)
      await this.page.keyboard.press('Tab')
    }
    throw new Error(`${id} is not reached by Tab, but: ${seen}`)
  }
}

/** Waits until get() returns what is wanted. */
export async function eventually(what, want, get) {
  const end = Date.now() + patience
  let got
  do {
    got = await get()
    if (got === want) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  } while (Date.now() < end)
  throw new Error(`${what}: got ${got}, want ${want}`)
}
