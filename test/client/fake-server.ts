/** Servers that answer as a test says: badly, late, or not at all. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import type { TestContext } from 'node:test'

/** One request, as the server got it. */
export type Seen = Readonly<{
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
}>

export type FakeServer = Readonly<{ url: string; seen: Seen[] }>

/** What the server does with one request. */
export type Behaviour = (response: ServerResponse, seen: Seen) => void

/** A server that treats each request as the next behaviour says; the last one stays. Ends with the test. */
export async function fakeServer(t: TestContext, ...behaviours: readonly Behaviour[]): Promise<FakeServer> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const { method = '', url: path = '', headers } = request
    const behaviour = behaviours[Math.min(seen.length, behaviours.length - 1)]!
    seen.push({ method, path, headers, body })
    behaviour(response, seen.at(-1)!)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

/** A URL at which nobody listens. */
export async function deadUrl(): Promise<string> {
  const server = createTcpServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}

export const GROUP = {
  groupId: 'g',
  version: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
}

/** A success. */
export function ok(
  value: unknown = GROUP,
  status = 200,
  headers: { [name: string]: string } = {},
): Behaviour {
  return (response) => response.writeHead(status, headers).end(JSON.stringify(value))
}

/** A problem of a connector. */
export function problem(
  status: number,
  code: string,
  { outcome, retryAfter }: { outcome?: string; retryAfter?: string } = {},
): Behaviour {
  const body = JSON.stringify({ type: 'about:blank', status, code, title: code, outcome, requestId: 'r' })
  const headers = {
    'content-type': 'application/problem+json',
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
  }
  return (response) => response.writeHead(status, headers).end(body)
}

export const UNAVAILABLE = problem(503, 'unavailable', { outcome: 'not_applied' })
export const OUTCOME_UNKNOWN = problem(504, 'outcome_unknown', { outcome: 'unknown' })

/** The connection ends before the answer. */
export const CUT: Behaviour = (response) => response.socket?.destroy()

/** The connection ends after the head of the answer. */
export const CUT_AFTER_HEAD: Behaviour = (response) => {
  response.writeHead(200, { 'content-length': '100' })
  response.flushHeaders()
  setImmediate(() => response.socket?.destroy())
}

/** The connection ends in the middle of the body. */
export const CUT_IN_BODY: Behaviour = (response) => {
  response.writeHead(200, { 'content-length': '100' })
  response.write('{"groupId":', () => response.socket?.destroy())
}

/** No answer ever. */
export const STALLED: Behaviour = () => {}

/** A body that stops in the middle, on a connection that stays. */
export const STALLED_IN_BODY: Behaviour = (response) => {
  response.writeHead(200, { 'content-length': '100' }).write('{"groupId":')
}

/** A success whose body is not JSON. */
export const GARBAGE: Behaviour = (response) => response.end('hello')

/** No HTTP at all. */
export const NO_HTTP: Behaviour = (response) => response.socket?.end('\u0000\u0001 hello\r\n\r\n')

/** The page of a proxy without a connector behind it. */
export const BAD_GATEWAY: Behaviour = (response) => response.writeHead(502).end('<html>Bad Gateway</html>')
