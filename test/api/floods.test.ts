/**
 * Bodies and queries with as many errors as their size permits. Each is refused with at most 16 errors, and
 * about as fast as a valid one of its size is taken: time is compared with time, so that a slow machine
 * changes nothing.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { expectProblem } from './expect.ts'
import { type TestApp, testApp } from './test-app.ts'

const KIB = 1_024
const MIB = KIB * KIB
const TIMES = '"createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"'

type Body = Readonly<{ method: 'POST' | 'PATCH'; url: string; payload: string }>

/** `start`, as many items as `bytes` leaves room for, and `end`. */
function filled(bytes: number, start: string, item: (index: number) => string, end: string): string {
  const items: string[] = []
  for (let left = bytes - start.length - end.length; ; ) {
    const text = item(items.length)
    left -= text.length + 1
    if (left < 0) return `${start}${items.join(',')}${end}`
    items.push(text)
  }
}

function aGroup(index: number): string {
  const labels = Array.from({ length: 15 }, (_, label) => `"k${label}":"${'v'.repeat(190)}"`).join(',')
  const text = `"description":"${'d'.repeat(900)}","labels":{${labels}}`
  return `{"groupId":"g${index}","version":1,"incarnation":"i",${TIMES},${text}}`
}

const restore = (payload: string): Body => ({ method: 'POST', url: '/v1/restore', payload })
const create = (payload: string): Body => ({ method: 'POST', url: '/v1/group', payload })
const patch = (payload: string): Body => ({ method: 'PATCH', url: '/v1/group/g', payload })

const VALID_MIB = restore(
  `{"groups":[${Array.from({ length: 256 }, (_, index) => aGroup(index)).join(',')}]}`,
)
const VALID_64_KIB = patch(filled(64 * KIB, '{"labels":{', (index) => `"k${index}":null`, '}}'))

const OF_A_MIB: readonly (readonly [string, Body])[] = [
  ['empty groups', restore(filled(MIB, '{"groups":[', () => '{}', ']}'))],
  ['numbers for groups', restore(filled(MIB, '{"groups":[', () => '1', ']}'))],
  ['unknown fields', restore(filled(MIB, '{', (index) => `"a${index}":1`, '}'))],
  ['unknown fields of a group', restore(filled(MIB, '{"groups":[{', (index) => `"a${index}":1`, '}]}'))],
  [
    'bad labels of a group',
    restore(filled(MIB, '{"groups":[{"labels":{', (index) => `"\\u0001${index}":1`, '}}]}')),
  ],
  ['groups with a bad field', restore(filled(MIB, '{"groups":[', () => '{"version":""}', ']}'))],
]

const OF_64_KIB: readonly (readonly [string, Body])[] = [
  [
    'bad label names',
    create(filled(64 * KIB, '{"groupId":"g","labels":{', (index) => `"\\u0001${index}":"v"`, '}}')),
  ],
  [
    'bad label names of a patch',
    patch(filled(64 * KIB, '{"labels":{', (index) => `"\\u0001${index}":"v"`, '}}')),
  ],
  ['bad label values of a patch', patch(filled(64 * KIB, '{"labels":{', (index) => `"${index}":1`, '}}'))],
  ['unknown fields', create(filled(64 * KIB, '{', (index) => `"${index}":1`, '}'))],
]

function ask({ app }: TestApp, { method, url, payload }: Body) {
  return app.inject({ method, url, headers: { 'content-type': 'application/json' }, payload })
}

async function aWorld(): Promise<TestApp> {
  const world = testApp()
  await world.app.inject({ method: 'POST', url: '/v1/group', payload: { groupId: 'g' } })
  return world
}

/** The time of the fastest of three runs, in milliseconds: the others were delayed by other work. */
async function quickestMs(run: () => unknown): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < 3; count += 1) {
    const startMs = performance.now()
    await run()
    times.push(performance.now() - startMs)
  }
  return Math.min(...times)
}

test('at most 16 errors are reported, and the last one says that there are more', async () => {
  const world = await aWorld()
  for (const [name, body] of [...OF_A_MIB, ...OF_64_KIB]) {
    const { errors = [] } = expectProblem(await ask(world, body), 'invalid_request')
    assert.equal(errors.length, 16, name)
    assert.deepEqual(errors.at(-1), { field: 'body', message: 'has more errors than these' }, name)
  }
  const query = Array.from({ length: 1_500 }, (_, index) => `a${index}=1`).join('&')
  const { errors = [] } = expectProblem(await world.app.inject(`/v1/group?${query}`), 'invalid_request')
  assert.equal(errors.length, 16)
  assert.deepEqual(errors.at(-1), { field: 'query', message: 'has more errors than these' })
})

test('15 errors are all reported, and of 16 one is not', async () => {
  const { app } = testApp()
  const payload = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, 1]))
  for (const count of [1, 14]) {
    // `groupId` is missing as well.
    const answer = await app.inject({ method: 'POST', url: '/v1/group', payload: payload(count) })
    const { errors = [] } = expectProblem(answer, 'invalid_request')
    assert.equal(errors.length, count + 1)
    assert.ok(errors.every(({ message }) => !message.includes('more')))
  }
  const answer = await app.inject({ method: 'POST', url: '/v1/group', payload: payload(15) })
  const { errors = [] } = expectProblem(answer, 'invalid_request')
  assert.equal(errors.length, 16)
  assert.match(errors.at(-1)!.message, /more/)
})

test('a wrong number of items is reported before errors of the items', async () => {
  const world = await aWorld()
  const { errors: ofGroups = [] } = expectProblem(await ask(world, OF_A_MIB[0]![1]), 'invalid_request')
  assert.deepEqual(ofGroups[0], { field: 'groups', message: 'must have at most 256 entries' })
  const { errors: ofLabels = [] } = expectProblem(await ask(world, OF_64_KIB[0]![1]), 'invalid_request')
  assert.deepEqual(ofLabels[0], { field: 'labels', message: 'must have at most 64 entries' })
})

test('a body of 1 MiB full of errors blocks the process little longer than its parsing', async () => {
  const world = await aWorld()
  assert.equal((await ask(world, VALID_MIB)).statusCode, 200)
  assert.ok(VALID_MIB.payload.length > 0.9 * MIB)
  const validMs = await quickestMs(() => ask(world, VALID_MIB))
  for (const [name, body] of OF_A_MIB) {
    // Some of these texts take much longer to parse than a valid body, before anything is known of them.
    const parsedMs = await quickestMs(() => JSON.parse(body.payload))
    const tookMs = await quickestMs(() => ask(world, body))
    const mayTakeMs = 10 * validMs + 3 * parsedMs
    assert.ok(
      tookMs < mayTakeMs,
      `${name}: ${tookMs} ms; a valid body ${validMs} ms, to parse it ${parsedMs} ms`,
    )
  }
})

test('64 KiB of errors from each of 32 clients block the process about as long as valid bodies', async () => {
  const world = await aWorld()
  assert.equal((await ask(world, VALID_64_KIB)).statusCode, 200)
  const fromClients = (body: Body) => Promise.all(Array.from({ length: 32 }, () => ask(world, body)))
  const validMs = await quickestMs(() => fromClients(VALID_64_KIB))
  for (const [name, body] of OF_64_KIB) {
    const tookMs = await quickestMs(() => fromClients(body))
    assert.ok(tookMs < 4 * validMs, `${name}: ${tookMs} ms, and valid bodies ${validMs} ms`)
  }
})

/** The app on a free port, in a process of its own, which says on which. */
const SERVER = `
  const { testApp } = await import(process.argv[1])
  const { app } = testApp()
  process.send(await app.listen({ host: '127.0.0.1', port: 0 }))
`

test('bodies of 1 MiB with 349,520 empty groups from many clients at once do not end a process that has 512 MB of memory', async (context) => {
  const heap = '--max-old-space-size=512'
  const module = new URL('test-app.ts', import.meta.url).href
  const child = spawn(process.execPath, [heap, '--input-type=module', '--eval', SERVER, module], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  context.after(() => child.kill('SIGKILL'))
  const [base] = await once(child, 'message', { signal: AbortSignal.timeout(30_000) })
  const [[, { method, url, payload }]] = OF_A_MIB as [(typeof OF_A_MIB)[0]]
  for (let round = 0; round < 2; round += 1) {
    const answers = Array.from({ length: 8 }, () =>
      fetch(`${base}${url}`, { method, headers: { 'content-type': 'application/json' }, body: payload }),
    )
    for (const { status } of await Promise.all(answers)) assert.equal(status, 400)
  }
  assert.deepEqual([child.exitCode, child.signalCode], [null, null])
  if (process.platform !== 'linux') return
  const peakKib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1])
  assert.ok(peakKib < 512 * KIB, `${peakKib} KiB at most`)
})
