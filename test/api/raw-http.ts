/** Sends requests unchanged to a real listener, without a client that normalizes paths or headers. */

import { once } from 'node:events'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { listenHttp } from '../../src/process/listen-http.ts'
import { SECOND_ADDRESS } from '../second-address.ts'
import type { Answer } from './expect.ts'

/** The addresses on which an app listens. Requests are sent to the last one. */
export type Place = Readonly<{ title: string; addresses: readonly [string, ...string[]] }>

/** A server must behave alike on each of its addresses: `localhost` often stands for two. */
export const PLACES: readonly [Place, Place] = [
  { title: 'on one address', addresses: ['127.0.0.1'] },
  { title: 'on the second address of a name', addresses: ['127.0.0.1', SECOND_ADDRESS] },
]

/** Where an app can be reached. */
export type Door = Readonly<{ host: string; port: number }>

/** Listens on a free port, as a connector does, until the test ends. */
export async function listen(app: FastifyInstance, context: TestContext, place = PLACES[0]): Promise<Door> {
  context.after(() => app.close())
  await app.ready()
  const { addresses } = place
  const { port } = await listenHttp(app.server, { host: 'place.test', port: 0 }, async () => addresses)
  return { host: addresses.at(-1)!, port }
}

/** The limit of the wait for an answer, after which the test fails. */
const ANSWER_TIMEOUT_MS = 10_000

/** Sends these bytes on a connection of their own, and reads to the end: ask for `connection: close`. */
export async function exchange(door: Door, bytes: string | Uint8Array): Promise<Answer> {
  const socket = connect(door)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.write(bytes)
  await once(socket, 'close', { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
  return parseAnswer(Buffer.concat(chunks).toString())
}

/** A request without a body, on a connection of its own. */
export function send(door: Door, method: string, path: string): Promise<Answer> {
  return exchange(door, `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
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
