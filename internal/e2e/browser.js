// Starts Chromium without a window.
import { access, constants, mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const shots = fileURLToPath(new URL('shots/', import.meta.url))
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const installed = await access(executablePath, constants.X_OK).then(() => true, () => false)
const howTo = `no Chromium at ${executablePath}: apt install chromium, or set CHROMIUM to where it is`
if (!installed && process.env.CI === 'true') throw new Error(howTo)

/** Why browser tests are skipped here, or false. With CI=true nothing is. */
export const skip = installed ? false : howTo

/** Starts a browser that ends with `t`. */
export async function launch(t) {
  const browser = await chromium.launch({ executablePath, headless: true, args })
  t.after(() => browser.close())
  return browser
}

/** Keeps a picture of the page in shots/, to be looked at by people. */
export async function shoot(page, name) {
  await mkdir(shots, { recursive: true })
  await page.screenshot({ path: `${shots}${name}.png` })
}
