/**
 * Closes the server without dropping a request that it can still answer, and always within a bounded time.
 *
 * From the moment `app.close()` is called:
 *
 * 1. For the grace time requests are served as before, so that a load balancer can notice the close:
 *    `/readyz` answers 503, new connections are accepted, and every answer ends its connection (Fastify adds
 *    `connection: close`).
 * 2. Then new connections are refused, idle connections are closed, and watches end. Requests that are under
 *    way, or whose bytes are still arriving, have time until the drain timeout.
 * 3. At the drain timeout all other connections are closed, so that a client which never sends the rest of
 *    its request cannot keep the process alive.
 */
import type { Socket } from 'node:net'
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises'
import { Server as TlsServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { stopListening } from '../process/listen-http.ts'

/**
 * The system holds at most so many connections for Node.js that it has not accepted yet, on each address:
 * Node.js asks for 511, and Linux holds one more.
 */
const WAITING_CONNECTIONS_MAX = 512

export type DrainOptions = Readonly<{
  /** How long new connections are accepted after the close began, in milliseconds. */
  graceMs: number
  /** How long the whole drain may take, the grace time included, in milliseconds. */
  timeoutMs: number
  /** Milliseconds since some moment; never goes back. */
  nowMs: () => number
  /** Parses what has arrived. A connection whose request is not parsed yet would be closed as an idle one. */
  takeWaiting: () => void
  /** Called when no connection is accepted any more: ends the answers that would go on for ever. */
  endStreams: () => void
  logger: Logger
}>

/** Makes `app.close()` drain. The returned function tells whether the close has begun. */
export function drainOnClose(app: FastifyInstance, options: DrainOptions): () => boolean {
  const connections = new Connections(app.server instanceof TlsServer)
  let isDraining = false
  app.server.on('connection', (socket) => connections.add(socket))
  // Only with HTTPS: a connection whose TLS handshake has succeeded.
  app.server.on('secureConnection', (socket) => connections.addEncrypted(socket))
  app.addHook('preClose', async () => {
    isDraining = true
    if (app.server.listening) await drain(app, connections, options)
    else options.endStreams()
  })
  return () => isDraining
}

async function drain(
  { server }: FastifyInstance,
  connections: Connections,
  { graceMs, timeoutMs, nowMs, takeWaiting, endStreams, logger }: DrainOptions,
): Promise<void> {
  const endMs = nowMs() + timeoutMs
  const leftMs = () => Math.max(0, endMs - nowMs())
  // Requests that are under way were routed before the close began, so their answers do not end their
  // connections.
  server.keepAliveTimeout = Math.max(1, graceMs)
  server.keepAliveTimeoutBuffer = 0
  await delay(Math.min(graceMs, timeoutMs))
  await connections.untilAccepted(leftMs)
  stopListening(server)
  endStreams()
  takeWaiting()
  server.closeIdleConnections()
  // The connections that were accepted last may not have had time to send anything.
  await connections.untilNone(Math.min(graceMs, leftMs()))
  connections.closeUnused()
  if (await connections.untilNone(leftMs())) return
  logger.warn(
    { connections: connections.count, drainTimeoutMs: timeoutMs },
    'the drain timeout is over: connections whose requests had not ended are closed',
  )
  connections.closeAll()
}

function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

/** The open connections of a server, on all its addresses. */
class Connections {
  readonly #open = new Set<Socket>()
  /** With HTTPS: what is read and written on a connection, by the address of its client. */
  readonly #encrypted = new Map<string, Socket>()
  readonly #isHttps: boolean
  #accepted = 0
  #onNone: (() => void) | undefined

  constructor(isHttps: boolean) {
    this.#isHttps = isHttps
  }

  add(socket: Socket): void {
    this.#accepted += 1
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      if (this.#open.size === 0) this.#onNone?.()
    })
  }

  /** Adds what is read and written on a connection of HTTPS. */
  addEncrypted(socket: Socket): void {
    const client = clientOf(socket)
    this.#encrypted.set(client, socket)
    socket.once('close', () => {
      if (this.#encrypted.get(client) === socket) this.#encrypted.delete(client)
    })
  }

  get count(): number {
    return this.#open.size
  }

  /**
   * Resolves when this process has accepted all connections that the system holds for it now, or when
   * no time is left. A connection that was not accepted would be reset when the socket stops listening.
   * A busy process has such connections, because each turn of the event loop accepts one. If a turn has
   * accepted none, none waits. Clients that connect again after each answer are not waited for: there
   * would be no end of them.
   */
  async untilAccepted(leftMs: () => number): Promise<void> {
    let before = -1
    for (
      let turn = 0;
      turn < WAITING_CONNECTIONS_MAX && before !== this.#accepted && leftMs() > 0;
      turn += 1
    ) {
      before = this.#accepted
      await immediate()
    }
  }

  /**
   * Resolves with `true` when no connection is left, or with `false` after this time. Only one call may be
   * pending.
   */
  untilNone(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#open.size === 0) return resolve(true)
      const timer = setTimeout(() => resolve(false), ms)
      this.#onNone = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  /** Closes the connections on which nothing was ever sent. Node.js does not count those as idle. */
  closeUnused(): void {
    for (const socket of this.#open) if (this.#receivedOn(socket) === 0) socket.destroy()
  }

  /** How many bytes a client has sent: without those of TLS, which a client sends before any request. */
  #receivedOn(socket: Socket): number {
    if (!this.#isHttps) return socket.bytesRead
    return this.#encrypted.get(clientOf(socket))?.bytesRead ?? 0
  }

  closeAll(): void {
    for (const socket of this.#open) socket.destroy()
  }
}
