/** Requests to a real listener as they are: no client in between that tidies up paths or headers. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import type { Answer } from './expect.ts'

/** Listens on a free port of the loopback interface, until the test ends. */
export async function listen(app: FastifyInstance, context: TestContext): Promise<number> {
  context.after(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  return (app.server.address() as AddressInfo).port
}

/** An answer that does not come fails the test instead of holding it up. */
const ANSWER_TIMEOUT_MS = 10_000

/** Sends these bytes on a connection of their own, and reads to the end: ask for `connection: close`. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<Answer> {
  const socket = connect({ host: '127.0.0.1', port })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.write(bytes)
  await once(socket, 'close', { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
  return parseAnswer(Buffer.concat(chunks).toString())
}

/** A request without a body, on a connection of its own. */
export function send(port: number, method: string, path: string): Promise<Answer> {
  return exchange(port, `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
}

/** An answer whose body is not chunked. */
export function parseAnswer(text: string): Answer {
  const [head, body] = splitOnce(text, '\r\n\r\n')
  const [statusLine, ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => {
      const [name, value] = splitOnce(line, ':')
      return [name.toLowerCase(), value.trim()]
    }),
  )
  return { statusCode: Number(statusLine?.split(' ')[1]), headers, body }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}
