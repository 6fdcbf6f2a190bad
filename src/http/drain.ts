/**
 * A close that drops nothing.
 *
 * From the moment `app.close()` is called, Fastify answers requests (`return503OnClosing: false`) with
 * `connection: close`. But Node's `server.close()` destroys idle keep-alive connections at once, and a client
 * may just be sending on one. So first only the listening socket is closed, and connections have a grace time in
 * which their next request is answered and ends them. Whatever is idle after that, nobody was using.
 */
import { once } from 'node:events'
import { Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** Makes `app.close()` wait up to `graceMs` for keep-alive connections, and as long as it takes for open requests. */
export function drainOnClose(app: FastifyInstance, graceMs: number): void {
  app.addHook('preClose', async () => {
    if (!app.server.listening) return
    // Requests under way were promised a connection that stays open; it is closed soon after its answer.
    app.server.keepAliveTimeout = graceMs
    app.server.keepAliveTimeoutBuffer = 0
    const abort = new AbortController()
    const closed = once(app.server, 'close', { signal: abort.signal })
    // http.Server's own close would close idle connections too.
    Server.prototype.close.call(app.server)
    await Promise.race([closed, delay(graceMs, undefined, { signal: abort.signal })])
    closed.catch(() => {})
    abort.abort()
  })
}
