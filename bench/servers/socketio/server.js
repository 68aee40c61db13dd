// The same job on Socket.IO: everybody who connects is sent every event. It is
// told what to do on standard input, as servers.Run is.
const { createServer } = require("node:http");
const readline = require("node:readline");
const { Server } = require("socket.io");

const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });

const event = (size) => {
  const at = (BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6))).toString().padStart(19, "0");
  const head = `{"at":${at},"x":"`;
  return head + "x".repeat(Math.max(0, size - 2 - head.length)) + '"}';
};

http.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${http.address().port}`));
setTimeout(() => process.exit(3), 3600e3);

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const [what, n, size] = line.split(" ");
  if (what === "publish") {
    for (let i = 0; i < Number(n); i++) io.emit("m", event(Number(size)));
  } else if (what === "stats") {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    console.log(JSON.stringify({ cpu: (user + system) / 1e6, rss, heap: heapUsed }));
  } else if (what === "collect" || what === "stop") {
    if (what === "collect") global.gc(); // node --expose-gc
    console.log("done");
  }
}).on("close", () => process.exit(0));
