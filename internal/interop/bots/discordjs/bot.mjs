// A ping-pong bot on discord.js. It prints every dispatch as a line of JSON and answers "ping N" with "pong N".
import { Client, Events, GatewayIntentBits } from 'discord.js'
import { print } from './print.mjs'

const client = new Client({
  intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent],
  rest: { api: process.env.BOT_API, version: '10' },
})
client.on(Events.Raw ?? 'raw', print)
client.on(Events.Error, (err) => console.error('error', err))
client.on(Events.Debug, (text) => console.error(text))
client.on(Events.MessageCreate, async (message) => {
  const [, n] = /^ping (\d+)$/.exec(message.content) ?? []
  if (!n) return
  try {
    await message.reply(`pong ${n}`)
  } catch (err) {
    console.error('pong', n, err)
  }
})
await client.login(process.env.BOT_TOKEN)
