/**
 * A program that bench/watch.ts starts: it listens on a free port, and writes the same bytes to every socket
 * that is open, again and again. What that costs is the least that a connector could need for its watchers.
 *
 *   node bench/bare-watch.ts BYTES EVERY_MS SECONDS SOCKETS
 */
import { createServer, type Socket } from 'node:net'

const [bytes, everyMs, seconds, socketCount] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
]

const sockets: Socket[] = []
const chunk = Buffer.alloc(bytes, 'x')
const server = createServer((socket) => {
  socket.setNoDelay(true)
  socket.on('error', () => undefined)
  sockets.push(socket)
  if (sockets.length === socketCount) begin()
})

function begin(): void {
  const startMs = performance.now()
  const before = process.cpuUsage()
  let writes = 0
  const timer = setInterval(() => {
    for (const socket of sockets) socket.write(chunk)
    writes += 1
    if (performance.now() - startMs < seconds * 1_000) return
    clearInterval(timer)
    const { user, system } = process.cpuUsage(before)
    process.send?.({ writes, cpuUs: user + system, tookMs: performance.now() - startMs })
    for (const socket of sockets) socket.destroy()
    server.close()
    process.disconnect?.()
  }, everyMs)
}

server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
