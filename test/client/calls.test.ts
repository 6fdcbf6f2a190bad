/** One connector: what each kind of answer means, and what is sent again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CohortClient, CohortError, expectDone } from '../../client/src/index.ts'
import { groupPath } from '../../client/src/paths.ts'
import {
  BAD_GATEWAY,
  type Behaviour,
  CUT,
  CUT_AFTER_HEAD,
  CUT_IN_BODY,
  deadUrl,
  fakeServer,
  GARBAGE,
  GROUP,
  NO_HTTP,
  OUTCOME_UNKNOWN,
  ok,
  problem,
  STALLED,
  STALLED_IN_BODY,
  UNAVAILABLE,
} from './fake-server.ts'

/** Longer than any test needs. A call that repeats until then has failed. */
const LONG_MS = 60_000

test('every id becomes one path segment that decodes to it, and that no URL parser resolves away', () => {
  const id = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.constantFrom('.', '..', 'a/b', '%2F', '?', '#', '/'),
  )
  fc.assert(
    fc.property(id, (groupId) => {
      const path = groupPath(groupId)
      assert.match(path, /^\/v1\/group\/[!-~]+$/)
      const segments = path.split('/')
      assert.equal(segments.length, 4)
      assert.equal(decodeURIComponent(segments[3]!), groupId)
      assert.notEqual(segments[3], '.')
      assert.notEqual(segments[3], '..')
    }),
  )
})

test('the path is sent unchanged, after the path of the URL', async (t) => {
  const { url, seen } = await fakeServer(t, ok())
  await using client = new CohortClient({ urls: [`${url}/registry/`] })
  for (const groupId of ['..', 'a/b', '🦊', 'a b', '%2F']) await client.groups.get(groupId)
  assert.deepEqual(
    seen.map(({ path }) => path),
    ['%2E%2E', 'a%2Fb', '%F0%9F%A6%8A', 'a%20b', '%252F'].map((segment) => `/registry/v1/group/${segment}`),
  )
})

test('a success has its value, its ETag and its text', async (t) => {
  const { url } = await fakeServer(t, ok(GROUP, 201, { etag: '"1-a"', 'idempotency-replayed': 'true' }))
  await using client = new CohortClient({ urls: [url] })
  assert.deepEqual(await client.groups.create({ groupId: 'g' }), {
    outcome: 'done',
    status: 201,
    value: GROUP,
    etag: '"1-a"',
    isReplayed: true,
    text: JSON.stringify(GROUP),
    url,
  })
})

test('a refusal has its code, its outcome and its fields, and is sent once', async (t) => {
  const text = JSON.stringify({
    status: 400,
    code: 'invalid_request',
    title: 'Not valid',
    detail: 'no',
    outcome: 'not_applied',
    errors: [{ field: 'groupId', message: 'too long' }, 'junk', { field: 1 }],
    requestId: 'r-1',
  })
  const { url, seen } = await fakeServer(t, (response) => response.writeHead(400).end(text))
  await using client = new CohortClient({ urls: [url], patienceMs: LONG_MS })
  const outcome = await client.groups.create({ groupId: 'g' })
  assert.deepEqual(outcome, {
    outcome: 'refused',
    text,
    url,
    problem: {
      status: 400,
      code: 'invalid_request',
      title: 'Not valid',
      detail: 'no',
      outcome: 'not_applied',
      errors: [{ field: 'groupId', message: 'too long' }],
      requestId: 'r-1',
    },
  })
  assert.equal(seen.length, 1)
  assert.throws(
    () => expectDone(outcome),
    (error) => error instanceof CohortError && error.outcome === outcome,
  )
})

/** What a change that may not be repeated, and a read, are told after each kind of answer. */
const MEANINGS: readonly (readonly [string, Behaviour, change: string, read: string])[] = [
  ['a cut before the answer', CUT, 'unknown connection_broken', 'not_applied connection_broken'],
  ['a cut after the head', CUT_AFTER_HEAD, 'unknown connection_broken', 'not_applied connection_broken'],
  ['a cut in the body', CUT_IN_BODY, 'unknown connection_broken', 'not_applied connection_broken'],
  ['no answer', STALLED, 'unknown answer_timeout', 'not_applied answer_timeout'],
  ['no end of the answer', STALLED_IN_BODY, 'unknown answer_timeout', 'not_applied answer_timeout'],
  ['no JSON', GARBAGE, 'unknown answer_not_json', 'not_applied answer_not_json'],
  ['no HTTP', NO_HTTP, 'unknown answer_not_http', 'not_applied answer_not_http'],
  ['a page of a proxy', BAD_GATEWAY, 'unknown 502', 'not_applied 502'],
  ['503 of a proxy', problem(503, 'x'), 'unknown 503', 'not_applied 503'],
  ['unavailable', UNAVAILABLE, 'not_applied 503', 'not_applied 503'],
  [
    'overloaded',
    problem(503, 'overloaded', { outcome: 'not_applied' }),
    'not_applied 503',
    'not_applied 503',
  ],
  [
    'too many requests',
    problem(429, 'rate_limited', { outcome: 'not_applied' }),
    'not_applied 429',
    'not_applied 429',
  ],
  ['outcome unknown', OUTCOME_UNKNOWN, 'unknown 504', 'not_applied 504'],
  ['a bug', problem(500, 'internal_error', { outcome: 'unknown' }), 'unknown 500', 'not_applied 500'],
  [
    'a damaged group',
    problem(500, 'unreadable_group', { outcome: 'not_applied' }),
    'refused 500',
    'refused 500',
  ],
  ['not found', problem(404, 'group_not_found'), 'refused 404', 'refused 404'],
]

type AnyOutcome = Awaited<ReturnType<CohortClient['groups']['create']>>

function told(outcome: AnyOutcome | Awaited<ReturnType<CohortClient['groups']['get']>>): string {
  if (outcome.outcome === 'done') return 'done'
  if (outcome.outcome === 'refused') return `refused ${outcome.problem.status}`
  const { cause } = outcome
  return `${outcome.outcome} ${cause.kind === 'problem' ? cause.problem.status : cause.failure}`
}

for (const [name, behaviour, change, read] of MEANINGS) {
  test(`after ${name}: a change is ${change}, a read ${read}, and neither is sent twice without patience`, async (t) => {
    const { url, seen } = await fakeServer(t, behaviour)
    await using client = new CohortClient({ urls: [url], patienceMs: 0, answerTimeoutMs: 150 })
    const made = await client.groups.create({ groupId: 'g' }, { idempotencyKey: false })
    assert.equal(told(made), change)
    assert.equal(told(await client.groups.get('g')), read)
    assert.equal(seen.length, 2)
  })
}

test('if no server listens, nothing was sent', async () => {
  await using client = new CohortClient({ urls: [await deadUrl()], patienceMs: 0 })
  const outcome = await client.groups.create({ groupId: 'g' })
  assert.ok(outcome.outcome === 'not_applied')
  assert.deepEqual(outcome.cause, {
    kind: 'unsent',
    failure: 'connection_refused',
    message: 'connection refused',
  })
})

test('creates, patches and batches have an idempotency key of their own, which a repetition keeps', async (t) => {
  const { url, seen } = await fakeServer(t, OUTCOME_UNKNOWN, CUT, UNAVAILABLE, ok())
  await using client = new CohortClient({ urls: [url], patienceMs: LONG_MS })
  assert.equal(told(await client.groups.create({ groupId: 'g' })), 'done')
  const keys = seen.map(({ headers }) => headers['idempotency-key'])
  assert.equal(keys.length, 4)
  assert.equal(new Set(keys).size, 1)
  assert.match(String(keys[0]), /^[0-9a-f-]{36}$/)
  await client.groups.update('g', { description: 'd' })
  await client.groups.batch({ create: [{ groupId: 'h' }] })
  await client.groups.update('g', { description: 'd' }, { idempotencyKey: 'mine' })
  await client.groups.update('g', { description: 'd' }, { idempotencyKey: false })
  const [update, batch, mine, none] = seen.slice(4).map(({ headers }) => headers['idempotency-key'])
  assert.equal(new Set([keys[0], update, batch]).size, 3)
  assert.equal(mine, 'mine')
  assert.equal(none, undefined)
})

test('what would be done twice is not sent again when it may be done', async (t) => {
  for (const behaviour of [CUT, OUTCOME_UNKNOWN, BAD_GATEWAY]) {
    const { url, seen } = await fakeServer(t, behaviour)
    await using client = new CohortClient({ urls: [url, url], patienceMs: LONG_MS })
    const calls = [
      () => client.groups.create({ groupId: 'g' }, { idempotencyKey: false }),
      () => client.groups.batch({ delete: [{ groupId: 'g' }] }),
      () => client.members.batch('g', { remove: ['m'] }),
      () => client.cluster.addMember('h:1'),
      () => client.cluster.replaceMember('n', 'h:1'),
      () => client.cluster.removeMember('n'),
      () => client.keys.create({ name: 'n', role: 'reader' }),
      () => client.keys.rotate('k', {}),
    ]
    for (const call of calls) assert.equal((await call()).outcome, 'unknown')
    assert.equal(seen.length, calls.length)
  }
})

test('what has the effect of once is sent again, and so is everything that was not applied', async (t) => {
  const { url, seen } = await fakeServer(
    t,
    ...[CUT, ok(), OUTCOME_UNKNOWN, ok(), CUT, ok(), CUT, ok()],
    UNAVAILABLE,
    ok(),
  )
  await using client = new CohortClient({ urls: [url], patienceMs: LONG_MS })
  assert.equal((await client.groups.delete('g')).outcome, 'done')
  assert.equal((await client.members.put('g', 'm', { role: 'owner' })).outcome, 'done')
  assert.equal((await client.members.batch('g', { add: [{ memberId: 'm' }] })).outcome, 'done')
  assert.equal((await client.backup.restoreGroups([])).outcome, 'done')
  assert.equal((await client.cluster.addMember('h:1')).outcome, 'done')
  assert.equal(seen.length, 10)
})

test('a refusal of a repeated delete does not tell who deleted: the outcome is unknown', async (t) => {
  const { url } = await fakeServer(t, CUT, problem(404, 'group_not_found'))
  await using client = new CohortClient({ urls: [url], patienceMs: LONG_MS })
  const outcome = await client.groups.delete('g')
  assert.ok(outcome.outcome === 'unknown')
  assert.equal(outcome.refusal?.code, 'group_not_found')
})

test('some refusals of a repeated create tell that it was not made, and others do not', async (t) => {
  for (const [status, code, expected] of [
    [409, 'group_exists', 'refused'],
    [422, 'idempotency_key_reused', 'refused'],
    [412, 'version_mismatch', 'refused'],
    [404, 'group_not_found', 'unknown'],
    [401, 'unauthenticated', 'unknown'],
  ] as const) {
    const { url, seen } = await fakeServer(t, CUT, problem(status, code))
    await using client = new CohortClient({ urls: [url], patienceMs: LONG_MS })
    const outcome = await client.groups.update('g', { description: 'd' })
    assert.equal(outcome.outcome, expected, code)
    assert.equal(seen.length, 2)
  }
})

test('an outcome that was open stays open through failures that change nothing', async (t) => {
  const dead = await deadUrl()
  for (const behaviour of [UNAVAILABLE, CUT]) {
    const { url } = await fakeServer(t, OUTCOME_UNKNOWN, behaviour)
    await using client = new CohortClient({ urls: [url, dead], patienceMs: 300 })
    assert.equal((await client.groups.create({ groupId: 'g' })).outcome, 'unknown')
  }
})

test('a later call goes on with an outcome that an earlier one left open', async (t) => {
  const { url } = await fakeServer(t, CUT, UNAVAILABLE, problem(409, 'group_exists'))
  await using client = new CohortClient({ urls: [url], patienceMs: 0 })
  const first = await client.groups.create({ groupId: 'g' }, { idempotencyKey: 'k' })
  assert.ok(first.outcome === 'unknown')
  const again = await client.groups.create({ groupId: 'g' }, { idempotencyKey: 'k', after: first })
  assert.equal(again.outcome, 'unknown')
  const told = await client.groups.create(
    { groupId: 'g' },
    { idempotencyKey: 'k', after: first, patienceMs: LONG_MS },
  )
  assert.equal(told.outcome, 'refused')
})

test('the key is asked for before each request, and once more after a 401', async (t) => {
  const { url, seen } = await fakeServer(
    t,
    ok(),
    problem(401, 'unauthenticated'),
    ok(),
    problem(401, 'unauthenticated'),
  )
  const keys = ['a', 'b', 'c', 'd', 'd']
  await using client = new CohortClient({ urls: [url], key: async () => `${keys.shift()}\n` })
  assert.equal((await client.groups.get('g')).outcome, 'done')
  assert.equal((await client.groups.get('g')).outcome, 'done')
  // The key has not changed: asking again would be refused again.
  assert.equal((await client.groups.get('g')).outcome, 'refused')
  assert.deepEqual(
    seen.map(({ headers }) => headers.authorization),
    ['Bearer a', 'Bearer b', 'Bearer c', 'Bearer d'],
  )
})

test('a key that cannot be had ends the call with its own error', async (t) => {
  const { url, seen } = await fakeServer(t, ok())
  const cannot = () => Promise.reject(new Error('the vault is closed'))
  await using client = new CohortClient({ urls: [url], key: cannot })
  await assert.rejects(client.groups.get('g'), /the vault is closed/)
  assert.equal(seen.length, 0)
})

test('a URL that is none, or no URL, is a mistake of the program', () => {
  assert.throws(() => new CohortClient({ urls: [] }), TypeError)
  assert.throws(() => new CohortClient({ urls: ['localhost:8000'] }), TypeError)
})
