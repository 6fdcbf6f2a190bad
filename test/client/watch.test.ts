/** Watches of the real API through connectors that die, and of servers that misbehave. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { type TestContext, test } from 'node:test'
import { CohortClient, CohortError, type Watch, type WatchEvent } from '../../client/src/index.ts'
import type { Group } from '../../src/group/group.ts'
import { assertNothingLeft, processCounts } from '../../src/testing/resource-counts.ts'
import { listen } from '../api/raw-http.ts'
import { ScriptedChanges } from '../api/scripted-changes.ts'
import { testApp } from '../api/test-app.ts'
import { within } from '../cluster/waiting.ts'
import { type Behaviour, CUT, deadUrl, fakeServer, problem, STALLED } from './fake-server.ts'

/** The limit of a wait for an event. */
const EVENT_MS = 20_000

function aGroup(groupId: string, version = 1): Group {
  const at = '2026-01-01T00:00:00.000Z'
  return { groupId, version, incarnation: 'i', createdAt: at, updatedAt: at }
}

/** A connector that tells these changes, and how to kill it. */
async function connector(t: TestContext, changes: ScriptedChanges) {
  const { app } = testApp({ engine: { changes } })
  const { host, port } = await listen(app, t)
  const kill = () => {
    app.server.close()
    app.server.closeAllConnections()
  }
  return { url: `http://${host}:${port}`, kill }
}

/** The next event, in short. */
async function nextOf(events: AsyncIterator<WatchEvent>): Promise<string> {
  const { value, done } = await within(EVENT_MS, events.next(), 'there is an event')
  if (done) return 'end'
  const event = value as WatchEvent
  if (event.type === 'group') return `group ${event.group.groupId} ${event.group.version}`
  if (event.type === 'group-deleted') return `deleted ${event.groupId}`
  return event.type === 'reset' ? `reset ${event.reason}` : event.type
}

function begin(watch: Watch): AsyncGenerator<WatchEvent, void, undefined> {
  return watch[Symbol.asyncIterator]()
}

test('a watch goes on at another URL when its connector is killed, and misses nothing', async (t) => {
  const changes = new ScriptedChanges()
  const first = await connector(t, changes)
  const second = await connector(t, changes)
  const states: string[] = []
  await using client = new CohortClient({ urls: [first.url, await deadUrl(), second.url] })
  const watch = client.watch(
    { initial: true },
    { onConnection: ({ state, url }) => void states.push(`${state} ${url}`) },
  )
  const events = begin(watch)
  assert.equal(await nextOf(events), 'synced')
  const next = nextOf(events)
  changes.change(aGroup('a'))
  assert.equal(await next, 'group a 1')
  // The place comes after the event, so the next event is asked for before the connector dies.
  const later = nextOf(events)
  while (watch.place === undefined) await new Promise(setImmediate)
  first.kill()
  changes.change('a')
  changes.change(aGroup('b', 3))
  assert.deepEqual(
    [await later, await nextOf(events)].filter((event) => event !== 'group a 1'),
    ['deleted a', 'group b 3'],
  )
  assert.equal(states[0], `connected ${first.url}`)
  assert.equal(states[1], `lost ${first.url}`)
  assert.equal(states.at(-1), `connected ${second.url}`)
  await events.return()
})

test('a later watch goes on from the place of an earlier one', async (t) => {
  const changes = new ScriptedChanges()
  const { url } = await connector(t, changes)
  await using client = new CohortClient({ urls: [url] })
  const watch = client.watch({ initial: true })
  const events = begin(watch)
  assert.equal(await nextOf(events), 'synced')
  const next = nextOf(events)
  while (watch.place === undefined) await new Promise(setImmediate)
  const after = watch.place
  changes.change(aGroup('a'))
  await next
  await events.return()
  const again = begin(client.watch({ after }))
  assert.equal(await nextOf(again), 'group a 1')
  await again.return()
})

test('where the past is lost, there is a reset', async (t) => {
  const changes = new ScriptedChanges()
  const { url } = await connector(t, changes)
  await using client = new CohortClient({ urls: [url] })
  changes.firstPlace = 5
  const events = begin(client.watch({ after: 'WzFd' }))
  assert.equal(await nextOf(events), 'reset place_lost')
  await events.return()
})

/** The head of a watch, and this text. The answer goes on. */
function stream(text: string, isEnded = false): Behaviour {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(text)
    if (isEnded) response.end()
  }
}

const EVENT = 'event: group\ndata: {"group":{"groupId":"g","version":1},"etag":"\\"1\\""}\n\n'

test('a connection that ends before there was a place is a reset, and one with a place is not', async (t) => {
  const without = await fakeServer(t, stream(EVENT, true), stream(EVENT))
  await using one = new CohortClient({ urls: [without.url] })
  const events = begin(one.watch())
  const told = [await nextOf(events), await nextOf(events), await nextOf(events)]
  assert.deepEqual(told, ['group g 1', 'reset connection_lost', 'group g 1'])
  await events.return()

  const placed = await fakeServer(t, stream(`${EVENT}id: p+1\n\n`, true), stream(EVENT))
  await using two = new CohortClient({ urls: [placed.url] })
  const others = begin(two.watch({ prefix: 'g' }))
  assert.deepEqual([await nextOf(others), await nextOf(others)], ['group g 1', 'group g 1'])
  assert.deepEqual(
    placed.seen.map(({ path }) => path),
    ['/v1/watch?prefix=g', '/v1/watch?prefix=g&after=p%2B1'],
  )
  await others.return()
})

test('a connector that has become silent, stalls, cuts or talks nonsense is left for another one', async (t) => {
  const nonsense = stream('event: group\ndata: {"group":\n\n')
  for (const behaviour of [stream(': hello\n\n'), STALLED, CUT, nonsense, problem(503, 'overloaded')]) {
    const bad = await fakeServer(t, behaviour)
    const good = await fakeServer(t, stream(EVENT))
    await using client = new CohortClient({ urls: [bad.url, good.url] })
    const events = begin(client.watch({ after: 'p' }, { silenceMs: 150 }))
    assert.equal(await nextOf(events), 'group g 1')
    assert.equal(bad.seen.length, 1)
    await events.return()
  }
})

test('events of a kind that this version does not know, and comments, are left out', async (t) => {
  const { url } = await fakeServer(t, stream(`retry: 1000\n\n: hi\n\nevent: news\ndata: {}\n\n${EVENT}`))
  await using client = new CohortClient({ urls: [url] })
  const events = begin(client.watch())
  assert.equal(await nextOf(events), 'group g 1')
  await events.return()
})

test('a watch that the API refuses throws the refusal', async (t) => {
  for (const status of [400, 401, 403, 404]) {
    const { url, seen } = await fakeServer(t, problem(status, 'forbidden'))
    await using client = new CohortClient({ urls: [url] })
    await assert.rejects(
      begin(client.watch()).next(),
      (error) =>
        error instanceof CohortError &&
        error.outcome.outcome === 'refused' &&
        error.outcome.problem.status === status,
    )
    assert.equal(seen.length, 1)
  }
})

test('a watch that is aborted throws the reason; one whose client is closed ends', async (t) => {
  const silent = await fakeServer(t, stream(''))
  const dead = await deadUrl()
  for (const url of [silent.url, dead]) {
    const client = new CohortClient({ urls: [url] })
    const controller = new AbortController()
    const aborted = begin(client.watch({}, { signal: controller.signal })).next()
    const closed = begin(client.watch()).next()
    setTimeout(() => controller.abort(new Error('enough')), 50)
    await assert.rejects(within(EVENT_MS, aborted, 'the watch has ended'), /enough/)
    assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
    await client.close()
    assert.equal((await within(EVENT_MS, closed, 'the watch has ended')).done, true)
  }
})

test('watches leave no socket and no timer', async (t) => {
  const good = await fakeServer(t, stream(EVENT))
  await assertNothingLeft(processCounts, async () => {
    await using client = new CohortClient({ urls: [await deadUrl(), good.url] })
    for await (const _ of client.watch()) break
  })
})
