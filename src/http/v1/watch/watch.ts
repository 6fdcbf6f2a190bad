import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { WATCH_EXAMPLE } from '../../../api/watch-example.ts'
import { systemClock } from '../../../process/clock.ts'
import { OVERLOADED } from '../../admission/overloaded.ts'
import { callerOf } from '../../admission/request-gate.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { DescribedWatchQuery, filterOf, WatchHeaders, WatchQuery } from './watch-query.ts'
import { WatchStream } from './watch-stream.ts'
import { Watcher } from './watcher.ts'
import type { Watches } from './watches.ts'

const schema = {
  operationId: 'watchGroups',
  tags: ['Groups'],
  summary: 'Watch groups',
  description:
    'An endless answer: an event for each change of a group, from the moment at which the answer begins. docs/watch.md describes the events, and what is promised.',
  querystring: WatchQuery,
  describedQuery: DescribedWatchQuery,
  headers: WatchHeaders,
  response: {
    200: answer(
      'Events, until one of both sides ends.',
      { type: 'string' },
      {
        mediaType: 'text/event-stream',
        example: WATCH_EXAMPLE,
      },
    ),
  },
  problems: ['unavailable', 'overloaded'],
} as const

/** How long a client should wait before it connects again, as the first line of a watch says. */
const RETRY_LINE = 'retry: 1000\n\n'

/** How often it is checked whether the caller may still watch. */
const RECHECK_MS = 1_000

const NOT_COVERED = {
  kind: 'not_applied',
  reason: 'too few nodes tell this connector what they change',
} as const

/** `GET /v1/watch`: the changes of groups, as server-sent events. */
export function watchRoute(watches: Watches, { retryAfterSeconds }: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    const route = { config: { cost: 'free', isRateLimited: true }, exposeHeadRoute: false, schema } as const
    app.get('/v1/watch', route, (request, reply) => {
      const filter = filterOf(request.query)
      const caller = callerOf(request)
      const leave = watches.enter(caller)
      if (leave === undefined) throw OVERLOADED
      return new Promise<FastifyReply>((resolve) => {
        const stream: WatchStream = new WatchStream({
          onBegin: () => {
            stream.send(RETRY_LINE)
            resolve(
              reply
                .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no', connection: 'close' })
                .type('text/event-stream')
                .send(stream),
            )
          },
          onRefuse: () => resolve(sendFailure(reply, NOT_COVERED, retryAfterSeconds)),
          onTooSlow: () => watches.countTooSlow(),
        })
        const lastEventId = request.headers['last-event-id']
        const place = (lastEventId as string | undefined) || request.query.after
        const watcher = new Watcher({
          hub: watches.hub,
          filter,
          hasInitial: request.query.initial === 'true',
          after: place === '' ? undefined : place,
          sink: stream,
          caller,
          clock: systemClock,
        })
        watches.open(stream, watcher, leave)
        endWhenForbidden(stream, () => app.mayGoOn(request))
        // Before the answer has begun, only the request shows that the client has left.
        request.raw.once('close', () => stream.destroy())
        watcher.start()
      })
    })
  }
}

/** Ends a watch whose caller may not watch any more: its key was revoked, for example. */
function endWhenForbidden(stream: WatchStream, mayGoOn: () => Promise<boolean>): void {
  const check = () => {
    cancel = systemClock.after(RECHECK_MS, async () => {
      // A bug in the check ends the watch too.
      if (!(await mayGoOn().catch(() => false))) stream.destroy()
      else if (!stream.destroyed) check()
    })
  }
  let cancel = () => {}
  check()
  stream.once('close', () => cancel())
}
