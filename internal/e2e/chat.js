// Starts examples/chat, or examples/services, as a process of its own, as a person would, and stops it by its process id.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Made by `npm run build`; or another chat with its flags, as the tests of examples/backends have it.
const chatCommand = process.env.GATEHOUSE_CHAT?.split(' ') ?? [fileURLToPath(new URL('.build/chat', import.meta.url))]
export const servicesCommand = [fileURLToPath(new URL('.build/services', import.meta.url))]
const readyWithin = 15_000 // ms
const stopWithin = 15_000 // ms

/** A chat server with a data file of its own, which may be stopped and started again at its address. */
export class Chat {
  #dir
  #child
  #command
  #log = ''
  url = ''

  /** Starts a server on a free port; `t` is the test (or suite) that it ends with. */
  static async start(t, command = chatCommand) {
    const chat = new Chat()
    chat.#command = command
    chat.#dir = await mkdtemp(join(tmpdir(), 'gatehouse-e2e-'))
    t.after(async () => {
      await chat.stop('SIGKILL')
      await rm(chat.#dir, { recursive: true, force: true })
    })
    await chat.start()
    return chat
  }

  /** Starts the server, at the address it had before if it had one, and waits until it answers. */
  async start() {
    const addr = this.url ? new URL(this.url).host : '127.0.0.1:0'
    const [binary, ...flags] = this.#command
    const child = spawn(binary, [...flags, '-addr', addr, '-data', join(this.#dir, 'chat.db')], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    process.once('exit', () => child.kill('SIGKILL'))
    child.stderr.on('data', (text) => (this.#log += text))
    this.url = await this.#printedURL(child)
    const page = await fetch(this.url)
    if (!page.ok) throw new Error(`${this.url} answers ${page.status}\n${this.#log}`)
  }

  /** Somebody who says things without a browser. */
  as(name) {
    return {
      say: async (content, channel = '2') => {
        const headers = { authorization: name, 'content-type': 'application/json' }
        const post = () => fetch(`${this.url}/api/channels/${channel}/messages`, { method: 'POST', headers, body: JSON.stringify({ content }) })
        let reply = await post()
        while (reply.status === 429) {
          const wait = (await reply.json()).retry_after
          await new Promise((resolve) => setTimeout(resolve, wait * 1000))
          reply = await post()
        }
        if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`)
      },
    }
  }

  #printedURL(child) {
    let out = ''
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`chat ${why}\n${out}${this.#log}`))
      const timer = setTimeout(() => fail(`printed no URL within ${readyWithin} ms`), readyWithin)
      child.once('error', (err) => fail(`did not start: ${err.message}`))
      child.once('exit', (code, signal) => fail(`ended with ${code ?? signal}`))
      child.stdout.on('data', (text) => {
        out += text
        const found = out.match(/http:\/\/[\w.:[\]-]+\S*(?=\s)/)
        if (!found) return
        clearTimeout(timer)
        resolve(found[0])
      })
    })
  }

  /** Sends a signal and waits for the end. Returns the exit code, or the signal's name. */
  async stop(signal) {
    const child = this.#child
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithin)
    child.kill(signal)
    await once(child, 'exit')
    clearTimeout(timer)
    return child.exitCode ?? child.signalCode
  }
}
