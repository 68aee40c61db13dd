"""A ping-pong bot on discord.py. It prints every dispatch as a line of JSON and answers "ping N" with "pong N"."""

import json
import logging
import os
import re
import sys
import threading

import discord
import yarl

logging.basicConfig(stream=sys.stderr, level=logging.INFO)
discord.http.Route.BASE = os.environ["BOT_API"] + "/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["BOT_GATEWAY"])


class Bot(discord.Client):
    session = ""

    async def on_socket_raw_receive(self, text):
        event = json.loads(text)
        if event["op"] != 0:
            return
        data = event["d"] or {}
        self.session = data.get("session_id", self.session) if event["t"] == "READY" else self.session
        line = {"s": event["s"], "t": event["t"], "content": data.get("content"), "session": self.session}
        print(json.dumps(line), flush=True)

    async def on_message(self, message):
        if ping := re.fullmatch(r"ping (\d+)", message.content):
            await message.reply(f"pong {ping[1]}")


def end_with_the_test():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_the_test, daemon=True).start()
intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
Bot(intents=intents, enable_debug_events=True).run(os.environ["BOT_TOKEN"], log_handler=None)
