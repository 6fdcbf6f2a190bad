/**
 * What the app of a connector costs beside Fastify with an empty handler, in one process and without sockets.
 * The two take turns of some milliseconds, and the quickest turn of each counts: other programs on the
 * machine only make turns longer.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FastifyInstance, fastify, type InjectOptions } from 'fastify'
import { testApp } from './test-app.ts'

/** The share of the empty handler's rate, as it was measured (docs/benchmarks.md). */
const RECORDED = { read: 0.65, create: 0.6 }

/** A smaller share than this part of the recorded one is a fault. */
const PART_MIN = 0.8

/** So many turns are taken in any case, and further ones while the share is too small. */
const TURNS_MIN = 150
const TURNS_MAX = 2_000
const REQUESTS_PER_TURN = 10

async function turnMs(
  app: FastifyInstance,
  requestAt: (index: number) => InjectOptions,
  status: number,
): Promise<number> {
  const requests = Array.from({ length: REQUESTS_PER_TURN }, (_, index) => requestAt(index))
  const startMs = performance.now()
  for (const request of requests) assert.equal((await app.inject(request)).statusCode, status)
  return performance.now() - startMs
}

/** The rate of `app`, as a share of that of `empty`. Ends when it has reached `wanted`. */
async function shareOf(
  app: FastifyInstance,
  empty: FastifyInstance,
  requestOf: (turn: number, index: number) => InjectOptions,
  { status, wanted }: Readonly<{ status: number; wanted: number }>,
): Promise<number> {
  let [appMs, emptyMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    if (turn >= TURNS_MIN && emptyMs / appMs >= wanted) break
    const requestAt = (index: number) => requestOf(turn, index)
    emptyMs = Math.min(emptyMs, await turnMs(empty, requestAt, 200))
    appMs = Math.min(appMs, await turnMs(app, requestAt, status))
  }
  return emptyMs / appMs
}

test('a read and a create cost no more beside an empty handler than when that was measured', async () => {
  const { app } = testApp()
  const empty = fastify({ logger: false })
  empty.get('/v1/group/:groupId', () => ({}))
  empty.post('/v1/group', () => ({}))
  await Promise.all([app.ready(), empty.ready()])
  const create = (groupId: string): InjectOptions => ({
    method: 'POST',
    url: '/v1/group',
    headers: { 'content-type': 'application/json' },
    payload: `{"groupId":"${groupId}"}`,
  })
  await app.inject(create('known'))
  const shares = {
    read: await shareOf(app, empty, () => ({ method: 'GET', url: '/v1/group/known' }), {
      status: 200,
      wanted: PART_MIN * RECORDED.read,
    }),
    create: await shareOf(app, empty, (turn, index) => create(`group-${turn}-${index}`), {
      status: 201,
      wanted: PART_MIN * RECORDED.create,
    }),
  }
  await Promise.all([app.close(), empty.close()])
  for (const what of ['read', 'create'] as const) {
    assert.ok(
      shares[what] >= PART_MIN * RECORDED[what],
      `a ${what} makes ${shares[what].toFixed(3)} of the empty handler's rate; ${RECORDED[what]} was measured`,
    )
  }
})
