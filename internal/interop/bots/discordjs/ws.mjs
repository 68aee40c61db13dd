// A ping-pong bot on @discordjs/ws, which is discord.js' gateway by itself, with @discordjs/rest. BOT_COMPRESS asks for
// zlib-stream. It prints every dispatch as a line of JSON and answers "ping N" with "pong N".
import { REST } from '@discordjs/rest'
import { CompressionMethod, WebSocketManager, WebSocketShardEvents } from '@discordjs/ws'
import { print } from './print.mjs'

const rest = new REST({ api: process.env.BOT_API, version: '10' }).setToken(process.env.BOT_TOKEN)
const manager = new WebSocketManager({
  token: process.env.BOT_TOKEN,
  intents: 1 | (1 << 9) | (1 << 15), // guilds, their messages, and what these say
  rest,
  compression: process.env.BOT_COMPRESS ? CompressionMethod.ZlibNative : null,
})
manager.on(WebSocketShardEvents.Error, (err) => console.error('error', err))
manager.on(WebSocketShardEvents.Debug, (text) => console.error(text))
manager.on(WebSocketShardEvents.Dispatch, async (payload) => {
  print(payload)
  const [, n] = /^ping (\d+)$/.exec(payload.d?.content) ?? []
  if (!n) return
  try {
    await rest.post(`/channels/${payload.d.channel_id}/messages`, { body: { content: `pong ${n}` } })
  } catch (err) {
    console.error('pong', n, err)
  }
})
await manager.connect()
