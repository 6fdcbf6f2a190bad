/** Several connectors: which one is asked, when, and that nothing is left. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { CohortClient } from '../../client/src/index.ts'
import { assertNothingLeft, processCounts } from '../../src/testing/resource-counts.ts'
import {
  BAD_GATEWAY,
  CUT,
  CUT_IN_BODY,
  deadUrl,
  fakeServer,
  GARBAGE,
  OUTCOME_UNKNOWN,
  ok,
  problem,
  STALLED,
  UNAVAILABLE,
} from './fake-server.ts'

const LONG_MS = 60_000

test('each failure leads to the next URL at once, also without patience', async (t) => {
  for (const behaviour of [CUT, CUT_IN_BODY, GARBAGE, BAD_GATEWAY, UNAVAILABLE, OUTCOME_UNKNOWN, STALLED]) {
    const bad = await fakeServer(t, behaviour)
    const good = await fakeServer(t, ok())
    await using client = new CohortClient({
      urls: [await deadUrl(), bad.url, good.url],
      patienceMs: 0,
      answerTimeoutMs: 200,
    })
    const outcome = await client.groups.create({ groupId: 'g' })
    assert.equal(outcome.outcome, 'done')
    assert.deepEqual([bad.seen.length, good.seen.length], [1, 1])
    assert.equal(outcome.url, good.url)
  }
})

test('the URL that has worked is asked first from then on', async (t) => {
  const bad = await fakeServer(t, CUT)
  const good = await fakeServer(t, ok())
  await using client = new CohortClient({ urls: [bad.url, good.url] })
  for (let count = 0; count < 3; count += 1) await client.groups.get('g')
  assert.deepEqual([bad.seen.length, good.seen.length], [1, 3])
})

test('without patience each URL is asked once, and the last outcome is told', async (t) => {
  const one = await fakeServer(t, UNAVAILABLE)
  const two = await fakeServer(t, CUT)
  await using client = new CohortClient({ urls: [one.url, two.url], patienceMs: 0 })
  assert.equal((await client.groups.create({ groupId: 'g' })).outcome, 'unknown')
  assert.deepEqual([one.seen.length, two.seen.length], [1, 1])
  // A URL that has failed before is asked again by the next call.
  assert.equal((await client.groups.get('g')).outcome, 'not_applied')
  assert.deepEqual([one.seen.length, two.seen.length], [2, 2])
})

test('with patience the URLs are asked until one works', async (t) => {
  const one = await fakeServer(t, UNAVAILABLE, CUT, ok())
  await using client = new CohortClient({ urls: [await deadUrl(), one.url], patienceMs: LONG_MS })
  assert.equal((await client.groups.create({ groupId: 'g' })).outcome, 'done')
  assert.equal(one.seen.length, 3)
})

test('Retry-After is obeyed: as a number, as a date, and by giving up when it is too long', async (t) => {
  const at = (header: string) => problem(503, 'overloaded', { outcome: 'not_applied', retryAfter: header })
  const times: number[] = []
  const seconds = await fakeServer(
    t,
    (response, seen) => {
      times.push(performance.now())
      at('1')(response, seen)
    },
    (response, seen) => {
      times.push(performance.now())
      ok()(response, seen)
    },
  )
  await using client = new CohortClient({ urls: [seconds.url], patienceMs: LONG_MS })
  assert.equal((await client.groups.get('g')).outcome, 'done')
  assert.ok(times[1]! - times[0]! >= 1_000, `it waited ${times[1]! - times[0]!} ms`)

  const date = await fakeServer(t, at(new Date(Date.now() - 1_000).toUTCString()), ok())
  await using soon = new CohortClient({ urls: [date.url], patienceMs: LONG_MS })
  assert.equal((await soon.groups.get('g')).outcome, 'done')

  // Longer than the call may take: it is not waited for, and the connector is not asked again.
  const long = await fakeServer(t, at('3600'))
  await using patient = new CohortClient({ urls: [long.url], patienceMs: LONG_MS })
  assert.equal((await patient.groups.get('g')).outcome, 'not_applied')
  assert.equal(long.seen.length, 1)
})

test('a connector that has asked for a rest is left alone while another one works', async (t) => {
  const busy = await fakeServer(
    t,
    problem(429, 'rate_limited', { outcome: 'not_applied', retryAfter: '3600' }),
    ok(),
  )
  const other = await fakeServer(t, CUT, ok())
  await using client = new CohortClient({ urls: [busy.url, other.url], patienceMs: LONG_MS })
  assert.equal((await client.groups.get('g')).outcome, 'done')
  assert.deepEqual([busy.seen.length, other.seen.length], [1, 2])
})

test('an aborted call rejects with the reason, wherever it is', async (t) => {
  const stalled = await fakeServer(t, STALLED)
  const resting = await fakeServer(
    t,
    problem(503, 'unavailable', { outcome: 'not_applied', retryAfter: '30' }),
  )
  for (const { url, seen } of [stalled, resting]) {
    await using client = new CohortClient({ urls: [url], patienceMs: LONG_MS, answerTimeoutMs: LONG_MS })
    const controller = new AbortController()
    const call = client.groups.create({ groupId: 'g' }, { signal: controller.signal })
    while (seen.length === 0) await new Promise(setImmediate)
    controller.abort(new Error('enough'))
    await assert.rejects(call, /enough/)
    await assert.rejects(client.groups.get('g', { signal: controller.signal }), /enough/)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
    assert.equal(seen.length, 1)
  }
})

test('a client that is closed ends its calls with what they know', async (t) => {
  const { url, seen } = await fakeServer(t, STALLED)
  const client = new CohortClient({ urls: [url], patienceMs: LONG_MS, answerTimeoutMs: LONG_MS })
  const change = client.groups.create({ groupId: 'g' })
  const read = client.groups.get('g')
  while (seen.length < 2) await new Promise(setImmediate)
  await client.close()
  assert.equal((await change).outcome, 'unknown')
  assert.equal((await read).outcome, 'not_applied')
  assert.equal((await client.groups.get('g')).outcome, 'not_applied')
})

test('calls that ended, however they did, leave no socket, no timer and no listener', async (t) => {
  const behaviours = [ok(), CUT, CUT_IN_BODY, STALLED, GARBAGE, UNAVAILABLE]
  const servers = await Promise.all(behaviours.map((behaviour) => fakeServer(t, behaviour)))
  const dead = await deadUrl()
  const { signal } = new AbortController()
  await assertNothingLeft(processCounts, async () => {
    for (const { url } of servers) {
      await using client = new CohortClient({ urls: [dead, url], patienceMs: 150, answerTimeoutMs: 100 })
      await client.groups.create({ groupId: 'g' }, { signal })
      await client.groups.get('g', { signal })
      await assert.rejects(client.groups.get('g', { signal: AbortSignal.abort(new Error('no')) }), /no/)
    }
  })
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
