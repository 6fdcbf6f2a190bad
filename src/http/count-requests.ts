/**
 * Counts the API's requests by route and by status. A request costs only a few additions.
 */
import type { FastifyInstance, RouteOptions } from 'fastify'
import { BucketCounts, SECONDS_BOUNDS } from '../metrics/bucket-counts.ts'

/** One method of one route. */
export class RouteCounts {
  readonly method: string
  /** The path as in the API's description: `/v1/group/{groupId}`. */
  readonly route: string
  /** The number of answers for each status. */
  readonly statuses = new Map<number, number>()
  readonly seconds = new BucketCounts(SECONDS_BOUNDS)

  constructor(method: string, route: string) {
    this.method = method
    this.route = route
  }

  count(status: number): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
  }
}

export class RequestCounts {
  readonly routes: RouteCounts[] = []
  /** Requests that no route took: unknown paths and methods, and bytes that are not HTTP. */
  readonly unrouted = new RouteCounts('', 'none')
  inFlight = 0
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set as long as `inFlight` counts the request. */
    counts: RouteCounts | null
    startedMs: number
  }
}

/** Call it before the first route is added. `nowMs` is a clock that never goes back. */
export function countRequests(app: FastifyInstance, counts: RequestCounts, nowMs: () => number): void {
  app.decorateRequest('counts', null)
  app.decorateRequest('startedMs', 0)
  app.addHook('onRoute', (options: RouteOptions) => {
    // Two colons stand for one that begins no parameter.
    const path = options.url.replaceAll(/(?<!:):(\w+)/g, '{$1}').replace('::', ':')
    const routes = [options.method].flat().map((method) => new RouteCounts(method, path))
    counts.routes.push(...routes)
    const [only, ...others] = routes
    options.onRequest = [
      ...[options.onRequest ?? []].flat(),
      (request, _reply, done) => {
        request.counts =
          (others.length === 0 ? only : routes.find(({ method }) => method === request.method)) ?? null
        request.startedMs = nowMs()
        counts.inFlight += 1
        done()
      },
    ]
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const route = request.counts
    if (route === null) counts.unrouted.count(reply.statusCode)
    else {
      // If an answer cannot be sent, Fastify sends another one instead, and calls this hook again.
      request.counts = null
      counts.inFlight -= 1
      route.count(reply.statusCode)
      route.seconds.observe((nowMs() - request.startedMs) / 1_000)
    }
    done(null, payload)
  })
}
