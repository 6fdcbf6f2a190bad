/**
 * A close that drops nothing that it can answer, and that ends.
 *
 * From the moment `app.close()` is called:
 *
 * 1. For the grace time nothing changes for clients, so that a load balancer has time to notice: `/readyz`
 *    answers 503, new connections are taken, and every answer ends its connection (Fastify adds
 *    `connection: close`).
 * 2. Then nobody new is let in, and connections that wait for a further request are closed. Requests that are
 *    under way, or whose bytes are still arriving, have until the drain timeout.
 * 3. Whatever is open then is closed: a client that never sends the rest of its request cannot keep the
 *    process alive.
 */
import type { Socket } from 'node:net'
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { stopListening } from '../process/listen-http.ts'

export type DrainOptions = Readonly<{
  /** How long new connections are taken after the close began, in milliseconds. */
  graceMs: number
  /** How long the whole drain may take, the grace time included, in milliseconds. */
  timeoutMs: number
  /** Milliseconds since some moment; never goes back. */
  nowMs: () => number
  logger: Logger
}>

/** Makes `app.close()` drain. The returned function tells whether it has been called. */
export function drainOnClose(app: FastifyInstance, options: DrainOptions): () => boolean {
  const connections = new Connections()
  let isDraining = false
  app.server.on('connection', (socket) => connections.add(socket))
  app.addHook('preClose', async () => {
    isDraining = true
    if (app.server.listening) await drain(app, connections, options)
  })
  return () => isDraining
}

async function drain(
  { server }: FastifyInstance,
  connections: Connections,
  { graceMs, timeoutMs, nowMs, logger }: DrainOptions,
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
  server.closeIdleConnections()
  // A connection that was accepted last may not have had the time to send anything.
  await connections.untilNone(Math.min(graceMs, leftMs()))
  connections.closeUnused()
  if (await connections.untilNone(leftMs())) return
  logger.warn(
    { connections: connections.count, drainTimeoutMs: timeoutMs },
    'the drain timeout is over: connections whose requests had not ended are closed',
  )
  connections.closeAll()
}

/** The open connections of a server, on whichever address they came in. */
class Connections {
  readonly #open = new Set<Socket>()
  #accepted = 0
  #onNone: (() => void) | undefined

  add(socket: Socket): void {
    this.#accepted += 1
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      if (this.#open.size === 0) this.#onNone?.()
    })
  }

  get count(): number {
    return this.#open.size
  }

  /**
   * Resolves when the system holds no connection that this process has not accepted, or no time is left: when
   * a socket stops listening, those would be reset. A busy process has such connections, since each turn of
   * its event loop accepts one. So none waits after a turn that accepted none.
   */
  async untilAccepted(leftMs: () => number): Promise<void> {
    for (let before = -1; before !== this.#accepted && leftMs() > 0; ) {
      before = this.#accepted
      await immediate()
    }
  }

  /**
   * Resolves as soon as there is none, with `true`; else after this time, with `false`. Call it one at a
   * time.
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

  /** Closes those on which nothing was ever sent: Node takes them for busy. */
  closeUnused(): void {
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy()
  }

  closeAll(): void {
    for (const socket of this.#open) socket.destroy()
  }
}
