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
import { verify } from '../../src/cli/verify/verify.ts'
import type { Command, Decision, Group } from '../../src/group/group.ts'
import type { Outcome, Registry } from '../../src/group/registry.ts'
import { MemoryRegistry } from './memory-registry.ts'
import { testApp } from './test-app.ts'

type Operation = Readonly<{ number?: number; key: string; seen?: string; run?: string; calledAt: number }>

/** Two connectors of one registry, and `cohort verify` on both of them, for two seconds at most. */
async function run(registry: Registry) {
  // Unlike the test app's own, these never come twice.
  const dependencies = { engine: { registry }, newIncarnation: randomUUID }
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
      seconds: 2,
      clients: 8,
      historyPath,
      signal: new AbortController().signal,
      output: {
        write: (text) => {
          printed += text
        },
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

test('a correct registry is linearizable, and has no groups of the run afterwards', async () => {
  const registry = new MemoryRegistry()
  const { exitCode, printed, history } = await run(registry)
  assert.equal(exitCode, 0, printed)
  assert.match(printed, /^verdict +linearizable\ncleaned up +all groups$/m)
  assert.deepEqual(history, [])
  const left = await registry.scan({ after: undefined, limit: 10 })
  assert.deepEqual(left, { kind: 'done', value: { groups: [], after: undefined } })
})

for (const [name, registry] of [
  ['stale reads', new StaleRegistry()],
  ['lost writes', new ForgetfulRegistry()],
] as const) {
  test(`${name} are a violation: it is reported, and its history is saved`, async () => {
    const { exitCode, printed, history } = await run(registry)
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
