/**
 * `cohort verify` over HTTP, against the real API with a correct registry, and with some that give wrong
 * answers.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CLUSTER_EXAMPLE } from '../../src/api/status-examples.ts'
import { verify } from '../../src/cli/verify/verify.ts'
import type { Command, Decision, Group } from '../../src/group/group.ts'
import type { GroupMember } from '../../src/group/group-member.ts'
import type { GroupMembers } from '../../src/group/group-members.ts'
import type { Outcome, Registry } from '../../src/group/registry.ts'
import { MemoryGroupMembers } from './memory-group-members.ts'
import { MemoryRegistry } from './memory-registry.ts'
import { testApp } from './test-app.ts'

type Operation = Readonly<{ number?: number; key: string; seen?: string; run?: string; calledAt: number }>

/**
 * Two connectors of one registry, and `cohort verify` on both of them. It ends at the first violation, and
 * else after `seconds`.
 */
async function run(registry: Registry, groupMembers?: GroupMembers, seconds = 2) {
  const engine = groupMembers === undefined ? { registry } : { registry, groupMembers }
  // Unlike the test app's own, these never come twice.
  const dependencies = {
    engine,
    newIncarnation: randomUUID,
    ...(groupMembers === undefined ? { without: ['groupMembers'] as const } : {}),
  }
  const apps = [testApp(dependencies), testApp(dependencies)].map(({ app }) => app)
  const directory = await mkdtemp(join(tmpdir(), 'cohort-verify-'))
  const historyPath = join(directory, 'history.jsonl')
  let printed = ''
  try {
    const exitCode = await verify({
      targets: (await Promise.all(apps.map((app) => app.listen({ port: 0, host: '127.0.0.1' })))).map(
        (url) => ({
          url,
        }),
      ),
      seconds,
      clients: 8,
      historyPath,
      signal: new AbortController().signal,
      output: {
        write: (text) => {
          printed += text
        },
        draw: () => assert.fail('nothing is drawn without a terminal'),
        columns: undefined,
        nowMs: () => performance.now(),
      },
    })
    const saved = await readFile(historyPath, 'utf8').catch(() => '')
    const history = saved
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Operation)
    return { exitCode, printed, history }
  } finally {
    await Promise.all(apps.map((app) => app.close()))
    await rm(directory, { recursive: true })
  }
}

/** Reads that sometimes miss the last change. */
class StaleRegistry extends MemoryRegistry {
  readonly #before = new Map<string, Group | undefined>()
  #reads = 0

  override async read(groupId: string): Promise<Outcome<Group | undefined>> {
    this.#reads += 1
    if (this.#reads % 50 > 0 || !this.#before.has(groupId)) return super.read(groupId)
    return { kind: 'done', value: this.#before.get(groupId) }
  }

  override async change(groupId: string, command: Command): Promise<Outcome<Decision>> {
    const before = await super.read(groupId)
    const outcome = await super.change(groupId, command)
    const hasChanged = outcome.kind === 'done' && outcome.value.kind === 'changed'
    if (hasChanged && before.kind === 'done') this.#before.set(groupId, before.value)
    return outcome
  }
}

/**
 * Changes that are sometimes answered but not made. Deletes are always made, so that the run can clean up.
 */
class ForgetfulRegistry extends MemoryRegistry {
  #changes = 0

  override async change(groupId: string, command: Command): Promise<Outcome<Decision>> {
    this.#changes += 1
    const current = await super.read(groupId)
    if (this.#changes % 50 > 0 || current.kind !== 'done') return super.change(groupId, command)
    const decision = command(current.value)
    const isDelete = decision.kind === 'changed' && decision.group === undefined
    return isDelete ? super.change(groupId, command) : { kind: 'done', value: decision }
  }
}

test('connectors of two clusters are refused', async () => {
  const others = { ...CLUSTER_EXAMPLE, clusterId: randomUUID() }
  const apps = [testApp(), testApp({ engine: { status: { describe: () => others } } })].map(({ app }) => app)
  try {
    const urls = await Promise.all(apps.map((app) => app.listen({ port: 0, host: '127.0.0.1' })))
    const verifying = verify({
      targets: urls.map((url) => ({ url })),
      seconds: 1,
      clients: 8,
      historyPath: join(tmpdir(), 'never-written'),
      signal: new AbortController().signal,
      output: {
        write: () => undefined,
        draw: () => undefined,
        columns: undefined,
        nowMs: () => performance.now(),
      },
    })
    await assert.rejects(verifying, { message: `${urls[0]} and ${urls[1]} serve different clusters` })
  } finally {
    await Promise.all(apps.map((app) => app.close()))
  }
})

test('a correct registry is linearizable, and has no groups of the run afterwards', async () => {
  const registry = new MemoryRegistry()
  const { exitCode, printed, history } = await run(registry, new MemoryGroupMembers(registry))
  assert.equal(exitCode, 0, printed)
  assert.match(printed, /^verifying .* on groups cohort-verify-[\da-f]{8}\/… and their members$/m)
  assert.match(printed, /^adds +done: [1-9]/m)
  assert.match(printed, /^verdict +linearizable\ncleaned up +all groups$/m)
  assert.deepEqual(history, [])
  const left = await registry.scan({ after: undefined, limit: 10 })
  assert.deepEqual(left, { kind: 'done', value: { groups: [], after: undefined } })
})

/** Checks that sometimes miss the last change of a member. */
class StaleMembers extends MemoryGroupMembers {
  readonly #before = new Map<string, GroupMember | undefined>()
  #checks = 0

  override async read(groupId: string, memberId: string) {
    const reading = await super.read(groupId, memberId)
    if (reading.kind !== 'done') return reading
    this.#checks += 1
    const key = `${groupId} ${memberId}`
    const member = this.#checks % 20 > 0 ? reading.value.member : this.#before.get(key)
    this.#before.set(key, reading.value.member)
    return { ...reading, value: { ...reading.value, member } }
  }
}

/** Adds that sometimes land in a life of the group that is over, so that nobody sees them. */
class LateMembers extends MemoryGroupMembers {
  #puts = 0

  override async put(...[groupId, memberId, command]: Parameters<MemoryGroupMembers['put']>) {
    this.#puts += 1
    if (this.#puts % 20 > 0) return super.put(groupId, memberId, command)
    const reading = await super.read(groupId, memberId)
    if (reading.kind !== 'done') return reading
    const { hasGroup, member } = reading.value
    if (!hasGroup) return super.put(groupId, memberId, command)
    return { kind: 'done' as const, value: command(member).decision }
  }
}

const correct = new MemoryRegistry()
/** The longest time that a violation may take to be found. */
const VIOLATION_SECONDS = 20

for (const [name, registry, groupMembers] of [
  ['stale reads', new StaleRegistry(), undefined],
  ['lost writes', new ForgetfulRegistry(), undefined],
  ['stale checks of members', correct, new StaleMembers(correct)],
  ['adds to an old life of a group', correct, new LateMembers(correct)],
] as const) {
  test(`${name} are a violation: it is reported, and its history is saved`, async () => {
    // On a busy machine, two seconds have few of the faults.
    const { exitCode, printed, history } = await run(registry, groupMembers, VIOLATION_SECONDS)
    assert.equal(exitCode, 1, printed)
    assert.match(printed, /^verdict +NOT LINEARIZABLE: \d+ of these groups cannot be explained$/m)
    const [, key, number] =
      /^ +(cohort-verify-\S+): .*#(\d+) (?:was answered|were shown) /m.exec(printed) ?? []
    const [header, ...operations] = history
    assert.ok(header?.run !== undefined && key?.includes(header.run), printed)
    assert.ok(operations.some((operation) => operation.key === key && operation.number === Number(number)))
    assert.deepEqual(
      operations,
      operations.toSorted((a, b) => a.calledAt - b.calledAt),
    )
    const left = await registry.scan({ after: undefined, limit: 10 })
    assert.deepEqual(left, { kind: 'done', value: { groups: [], after: undefined } })
  })
}

test('a cluster that refuses everything has not been checked', async () => {
  const registry = new MemoryRegistry()
  registry.failWith({ kind: 'not_applied', reason: 'too few nodes answer' })
  const { printed, exitCode } = await run({
    read: (groupId) => registry.read(groupId),
    show: (groupId) => registry.show(groupId),
    scan: (page) => registry.scan(page),
    async change(groupId, command) {
      // Deletes work: they let the run clean up in time.
      const probe = command({ groupId, version: 1, incarnation: '', createdAt: '', updatedAt: '' })
      const isDelete = probe.kind === 'changed' && probe.group === undefined
      return isDelete
        ? { kind: 'done', value: { kind: 'refused', refusal: 'group_not_found' } }
        : registry.change(groupId, command)
    },
  })
  assert.equal(exitCode, 1, printed)
  assert.match(printed, /^verdict +none: too little was answered to check anything$/m)
})
