import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { Verdict } from '../../src/access/authenticator.ts'
import { newCaller } from '../../src/access/caller.ts'
import type { Group } from '../../src/group/group.ts'
import { Watches } from '../../src/http/v1/watch/watches.ts'
import { until, within } from '../cluster/waiting.ts'
import { expectProblem } from './expect.ts'
import { listen } from './raw-http.ts'
import { type TestApp, testApp } from './test-app.ts'

/** The limit of a wait for an event. */
const EVENT_MS = 20_000

function aGroup(groupId: string, version = 1, labels: Group['labels'] = {}): Group {
  const at = '2026-01-01T00:00:00.000Z'
  return { groupId, labels, version, incarnation: 'i', createdAt: at, updatedAt: at }
}

/** The events of an answer, one after the other. A place comes with the event before it. */
class Events {
  readonly places: string[] = []
  readonly #blocks: string[] = []
  readonly #stream: Readable
  #rest = ''
  #hasEnded = false
  #wake = () => {}

  constructor(stream: Readable) {
    this.#stream = stream
    stream.on('data', (bytes: Buffer) => {
      const blocks = (this.#rest + bytes).split('\n\n')
      this.#rest = blocks.pop()!
      this.#blocks.push(...blocks)
      this.#wake()
    })
    stream.on('close', () => {
      this.#hasEnded = true
      this.#wake()
    })
  }

  close(): void {
    this.#stream.destroy()
  }

  /** The next block; `undefined` at the end. */
  async block(): Promise<string | undefined> {
    while (this.#blocks.length === 0 && !this.#hasEnded) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await within(EVENT_MS, woken, 'there is an event')
    }
    return this.#blocks.shift()
  }

  /** The next event, as `kind what`; `undefined` at the end. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const block = await this.block()
      if (block === undefined) return undefined
      if (block.startsWith('id: ')) this.places.push(block.slice(4))
      const kind = /^event: (.*)$/m.exec(block)?.[1]
      if (kind === undefined) continue
      const data = JSON.parse(/^data: (.*)$/m.exec(block)![1]!)
      if (kind === 'group') return `${kind} ${data.group.groupId} ${data.etag}`
      if (kind === 'group-deleted') return `${kind} ${data.groupId} ${data.etag}`
      return kind === 'reset' ? `${kind} ${data.reason}` : kind
    }
  }

  /** The next place. */
  async place(): Promise<string> {
    while (this.places.length === 0) {
      const block = await this.block()
      assert.ok(block !== undefined, 'it has not ended')
      if (block.startsWith('id: ')) this.places.push(block.slice(4))
    }
    return this.places.shift()!
  }
}

async function watch(
  t: TestContext,
  { app }: TestApp,
  query = '',
  headers: Record<string, string> = {},
): Promise<Events> {
  const answer = await app.inject({ url: `/v1/watch${query}`, headers, payloadAsStream: true })
  assert.equal(answer.statusCode, 200, query)
  assert.equal(answer.headers['content-type'], 'text/event-stream')
  assert.equal(answer.headers['cache-control'], 'no-store')
  const events = new Events(answer.stream())
  t.after(async () => {
    events.close()
    await app.close()
  })
  assert.equal(await events.block(), 'retry: 1000')
  return events
}

async function create({ registry }: TestApp, group: Group): Promise<void> {
  await registry.change(group.groupId, () => ({ kind: 'changed', group, answer: group }))
}

test('a watch begins with what changes from then on, and says where to go on', async (t) => {
  const it = testApp()
  await create(it, aGroup('before'))
  const events = await watch(t, it)
  it.changes.change(aGroup('a'))
  assert.equal(await events.next(), 'group a "1-i"')
  it.changes.change('a')
  assert.equal(await events.next(), 'group-deleted a "1-i"')
  it.changes.change(aGroup('b'))
  assert.equal(await events.next(), 'group b "1-i"')
  while ((await events.place()) !== '3');
})

test('a caller has room for its watches until they end, and without room the answer is 503', async (t) => {
  const enter = t.mock.method(Watches.prototype, 'enter')
  const left: string[] = []
  enter.mock.mockImplementation((caller) => (left.length > 0 ? undefined : () => left.push(caller)))
  const it = testApp()
  const client = connect(await listen(it.app, t))
  client.write('GET /v1/watch HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(client, 'data')
  const [caller] = enter.mock.calls[0]!.arguments
  client.destroy()
  await until('the room is given back', 5_000, () => left.length === 1)
  assert.deepEqual(left, [caller])
  const refused = await it.app.inject('/v1/watch')
  assert.equal(expectProblem(refused, 'overloaded').outcome, 'not_applied')
})

test('with initial=true all groups come first, and then that they have', async (t) => {
  const it = testApp()
  for (const groupId of ['a', 'b', 'c']) await create(it, aGroup(groupId))
  const events = await watch(t, it, '?initial=true')
  const seen = []
  for (let count = 0; count < 4; count += 1) seen.push(await events.next())
  assert.deepEqual(seen, ['group a "1-i"', 'group b "1-i"', 'group c "1-i"', 'synced'])
})

test('a client goes on from its place, in the header of browsers or in the query, and misses nothing', async (t) => {
  const it = testApp()
  it.changes.change(aGroup('a'))
  it.changes.change(aGroup('b'))
  it.changes.change(aGroup('c'))
  for (const [query, headers] of [
    ['?after=1', {}],
    ['', { 'last-event-id': '1' }],
    ['?after=0', { 'last-event-id': '1' }],
  ] as const) {
    const events = await watch(t, it, query, headers)
    assert.deepEqual([await events.next(), await events.next()], ['group b "1-i"', 'group c "1-i"'])
    assert.equal(await events.place(), '3')
  }
})

test('a place that is lost is a reset, and with initial=true all groups come again', async (t) => {
  const it = testApp()
  await create(it, aGroup('a'))
  const events = await watch(t, it, '?after=unknown&initial=true')
  const seen = [await events.next(), await events.next(), await events.next()]
  assert.deepEqual(seen, ['reset place_lost', 'group a "1-i"', 'synced'])
  const without = await watch(t, it, '?after=unknown')
  assert.equal(await without.next(), 'reset place_lost')
  it.changes.change(aGroup('b'))
  assert.equal(await without.next(), 'group b "1-i"')
})

test('a reset takes the place back, so that no client goes on with the old one', async (t) => {
  const it = testApp()
  const events = await watch(t, it)
  it.changes.lose()
  let block = ''
  while (!block.startsWith('event: reset')) block = (await events.block())!
  assert.match(block, /^id:$/m)
})

test('when changes may have been missed, each client is told; again when none are missed any more', async (t) => {
  const it = testApp()
  await create(it, aGroup('a'))
  const withList = await watch(t, it, '?initial=true')
  const without = await watch(t, it)
  assert.deepEqual([await withList.next(), await withList.next()], ['group a "1-i"', 'synced'])
  it.changes.lose()
  assert.equal(await withList.next(), 'reset coverage_lost')
  assert.equal(await without.next(), 'reset coverage_lost')
  await create(it, aGroup('b'))
  it.changes.cover()
  const seen = [await withList.next(), await withList.next(), await withList.next()]
  assert.deepEqual(seen, ['group a "1-i"', 'group b "1-i"', 'synced'])
  assert.equal(await without.next(), 'reset coverage_lost')
  it.changes.change(aGroup('c'))
  assert.equal(await withList.next(), 'group c "1-i"')
  assert.equal(await without.next(), 'group c "1-i"')
})

test('a watch of a prefix and of labels shows those groups, and one that leaves them as deleted', async (t) => {
  const it = testApp()
  const events = await watch(t, it, `?prefix=x&labels=${encodeURIComponent('team=core')}`)
  it.changes.change(aGroup('y1', 1, { team: 'core' }))
  it.changes.change(aGroup('x1', 1, { team: 'core' }))
  assert.equal(await events.next(), 'group x1 "1-i"')
  it.changes.change(aGroup('x1', 2, { team: 'edge' }))
  it.changes.change(aGroup('x2', 1, { team: 'core' }))
  assert.deepEqual([await events.next(), await events.next()], ['group-deleted x1 "1-i"', 'group x2 "1-i"'])
})

test('a group that changes while the list is read does not go back to what it was', async (t) => {
  const it = testApp()
  await create(it, aGroup('a'))
  await create(it, aGroup('b'))
  const { promise, resolve } = Promise.withResolvers<void>()
  const scan = it.registry.scan.bind(it.registry)
  it.registry.scan = async (options) => {
    const page = await scan(options)
    await promise
    return page
  }
  const events = await watch(t, it, '?initial=true')
  it.changes.change(aGroup('a', 2))
  assert.equal(await events.next(), 'group a "2-i"')
  resolve()
  assert.deepEqual([await events.next(), await events.next()], ['group b "1-i"', 'synced'])
})

test('a list of groups that are larger together than what may wait comes whole to a client that reads', async (t) => {
  const it = testApp()
  const door = await listen(it.app, t)
  const description = 'x'.repeat(100_000)
  for (let count = 0; count < 40; count += 1) await create(it, { ...aGroup(`g${count}`), description })
  const answer = await fetch(`http://${door.host}:${door.port}/v1/watch?initial=true`)
  let text = ''
  for await (const bytes of answer.body!) {
    text += Buffer.from(bytes).toString().replaceAll('x', '')
    if (text.includes('event: synced')) break
  }
  assert.equal(text.match(/event: group\n/g)?.length, 40)
  assert.ok(!text.includes('event: reset'))
})

test('what a query cannot be is refused, and there is no HEAD', async () => {
  const { app } = testApp()
  for (const query of ['?initial=yes', '?labels=%28', '?limit=3', `?after=${'x'.repeat(3_000)}`]) {
    const answer = await app.inject({ url: `/v1/watch${query}` })
    assert.deepEqual([answer.statusCode, answer.json().code], [400, 'invalid_request'], query)
  }
  assert.equal((await app.inject({ method: 'HEAD', url: '/v1/watch' })).statusCode, 405)
})

test('an engine that cannot follow its copies has no such route', async () => {
  const { app } = testApp({ without: ['changes'] })
  assert.equal((await app.inject({ url: '/v1/watch' })).statusCode, 404)
  assert.equal((await app.inject({ url: '/v1/openapi.json' })).json().paths['/v1/watch'], undefined)
})

test('watches end when the connector stops, and the engine is followed no more', async (t) => {
  const it = testApp()
  const door = await listen(it.app, t)
  const answer = await fetch(`http://${door.host}:${door.port}/v1/watch`)
  const reader = answer.body!.getReader()
  await reader.read()
  assert.equal(it.changes.followerCount, 1)
  const closing = it.app.close()
  while (!(await within(EVENT_MS, reader.read(), 'the watch ends')).done);
  await within(EVENT_MS, closing, 'the connector stops')
  assert.equal(it.changes.followerCount, 0)
})

test('a client that does not read is told to begin again, and its connection ends, while others go on', async (t) => {
  const it = testApp()
  const door = await listen(it.app, t)
  const slow = connect(door)
  t.after(() => slow.destroy())
  slow.write('GET /v1/watch HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(slow, 'readable')
  const other = await watch(t, it)
  // Far more than a socket holds, and the bound after it.
  const large = 'x'.repeat(200_000)
  for (let count = 0; count < 100; count += 1) {
    it.changes.change({ ...aGroup(`g${count}`), description: large })
    assert.equal(await other.next(), `group g${count} "1-i"`)
  }
  const metrics = await it.app.inject({ url: '/metrics' })
  assert.match(metrics.body, /^cohort_watches_too_slow_total 1$/m)
  let text = ''
  slow.on('data', (bytes) => {
    text = (text + bytes).slice(-1_000)
  })
  await within(EVENT_MS, once(slow, 'end'), 'the connection ends')
  assert.match(text, /event: reset\nid:\ndata: \{"reason":"client_too_slow"\}\n\n\r\n0\r\n\r\n$/)
})

test('clients of one caller that read their lists slowly do not stop the list of another caller', async (t) => {
  const authenticate = ({ authorization }: { authorization?: string | undefined }): Verdict => {
    const id = `${authorization}`
    return { kind: 'known', caller: newCaller({ kind: 'key', id, name: id, role: 'reader', prefix: '' }) }
  }
  const it = testApp({ authenticator: { kinds: ['an API key'], authenticate } })
  const labels = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`l${index}`, 'x'.repeat(256)]))
  const groupIds = Array.from({ length: 60 }, (_, index) => `a/${String(index).padStart(3, '0')}`)
  for (const groupId of groupIds) await create(it, aGroup(groupId, 1, labels))
  await create(it, aGroup('b/one'))
  const slow = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const url = '/v1/watch?initial=true&prefix=a/'
      const answer = await it.app.inject({ url, headers: { authorization: 'slow' }, payloadAsStream: true })
      return answer.stream()
    }),
  )
  // Each takes a kilobyte now and then, which is enough to be let on.
  const reading = setInterval(() => {
    for (const stream of slow) stream.read(1_024)
  }, 100)
  t.after(() => {
    clearInterval(reading)
    for (const stream of slow) stream.destroy()
  })
  const events = await watch(t, it, '?initial=true&prefix=b/', { authorization: 'other' })
  assert.equal(await events.next(), 'group b/one "1-i"')
  assert.equal(await events.next(), 'synced')
  // What was read for a slow client is read again later: it gets each group.
  clearInterval(reading)
  const rest = new Events(slow[0]!)
  const got = new Set<string>()
  for (let event = await rest.next(); event !== 'synced'; event = await rest.next())
    got.add(event!.split(' ')[1]!)
  assert.deepEqual([...got].slice(-10), groupIds.slice(-10))
  assert.ok(got.size >= groupIds.length - 5, `${got.size} groups`)
})

test('a watch ends when its caller may not watch any more, and goes on while that cannot be checked', async (t) => {
  const caller = newCaller({ kind: 'key', id: 'k7Gh3abc', name: 'ci', role: 'reader', prefix: '' })
  const verdicts: Verdict[] = [
    { kind: 'known', caller },
    { kind: 'known', caller },
    { kind: 'unavailable', reason: 'too few nodes answered in time' },
  ]
  const checkedMs: number[] = []
  const authenticate = (): Verdict => {
    const verdict = verdicts[checkedMs.length] ?? { kind: 'refused', reason: 'It was revoked.' }
    checkedMs.push(performance.now())
    return verdict
  }
  const it = testApp({ authenticator: { kinds: ['an API key'], authenticate } })
  const events = await watch(t, it)
  it.changes.change(aGroup('a'))
  assert.equal(await events.next(), 'group a "1-i"')
  assert.equal(await events.next(), undefined)
  const endedMs = performance.now()
  assert.equal(checkedMs.length, 4)
  // The check of a key knows of a revocation within a second, and the watch asks it each second. A busy
  // machine takes longer.
  const waitedMs = [...checkedMs.slice(1), endedMs].map((ms, index) => ms - checkedMs[index]!)
  for (const ms of waitedMs) assert.ok(ms < 2_000, `${ms} ms`)
})

test('a watch ends when its caller loses the right, or the prefix', async (t) => {
  const callerOf = (role: 'reader' | 'monitor', prefix: string) =>
    newCaller({ kind: 'certificate', id: 'CN=ci', name: 'CN=ci', role, prefix })
  for (const later of [callerOf('monitor', ''), callerOf('reader', 'team-b/')]) {
    const callers = [callerOf('reader', 'team-a/')]
    const authenticate = (): Verdict => ({ kind: 'known', caller: callers.pop() ?? later })
    const it = testApp({ authenticator: { kinds: ['a client certificate'], authenticate } })
    const events = await watch(t, it, '?prefix=team-a/')
    assert.equal(await events.next(), undefined)
  }
})
