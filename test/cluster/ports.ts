/** Ports for processes of tests, which no other test, test run or outgoing connection takes. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** Below the ports that systems give to outgoing connections (Linux: from 32,768). */
const PORT_MIN = 20_000
const PORT_END = 32_768
/** The first port of each block is its lock, the others are for use. */
const BLOCK_SIZE = 32
/** Far more than are needed while there are free blocks. */
const ATTEMPTS_MAX = 1_000

/**
 * Returns this many consecutive ports. They belong to this process until it ends, even while it does not
 * listen on them.
 */
export async function freePorts(count: number): Promise<number[]> {
  if (count >= BLOCK_SIZE) throw new RangeError(`${count} ports are more than a block has`)
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const block = randomInt(PORT_MIN / BLOCK_SIZE, PORT_END / BLOCK_SIZE) * BLOCK_SIZE
    const lock = await listen(block)
    if (lock === undefined) continue
    const ports = Array.from({ length: count }, (_, index) => block + 1 + index)
    if ((await Promise.all(ports.map(isFree))).every((is) => is)) {
      // Held until this process ends, but it does not keep the process alive.
      lock.unref()
      return ports
    }
    lock.close()
  }
  throw new Error(`no ${count} free ports between ${PORT_MIN} and ${PORT_END}`)
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port)
  if (server === undefined) return false
  server.close()
  await once(server, 'close')
  return true
}

/** `undefined`: another process listens there. */
async function listen(port: number): Promise<Server | undefined> {
  const server = createServer()
  server.listen({ port, host: '127.0.0.1', exclusive: true })
  try {
    await once(server, 'listening')
    return server
  } catch {
    return undefined
  }
}
