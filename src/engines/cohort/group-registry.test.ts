import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Group } from '../../group/group.ts'
import { encodeGroup } from '../../group/group-codec.ts'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { Records } from '../../register/known-chosen.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { UnreadableValueError } from '../../register/operation.ts'
import { ABSENT, successor } from '../../register/state.ts'
import { compareKeys } from '../../rpc/key-order.ts'
import type { ScanRange } from '../../rpc/messages.ts'
import type { NodeTransport } from '../../rpc/transport.ts'
import { GroupRegistry } from './group-registry.ts'
import { RegisterKeyStore } from './register-key-store.ts'

const TIMES = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
const PAGE_KEYS = 4
const TIMEOUT_MS = 1_000

/**
 * A registry over one node, with these groups and tombstones. Each page of keys takes this long.
 */
function aRegistry({
  live = [],
  deleted = [],
  pageMs = 0,
  epochEnds = 0,
  isKnown = () => false,
  unreadable = [],
  description = '',
}: {
  live?: string[]
  deleted?: string[]
  pageMs?: number
  /** The number of scans that are refused at first, as if their epoch were over. */
  epochEnds?: number
  /** Whether the records of a group's key tell by themselves what is chosen. */
  isKnown?: (groupId: string) => boolean
  /** The live groups whose bytes are not a group. */
  unreadable?: readonly string[]
  /** Of each group. */
  description?: string
}) {
  const seen = { nowMs: 0, reads: [] as string[] }
  const keys = [...live, ...deleted].map((id) => `group/${id}`).sort(compareKeys)
  const bytesOf = (key: string): Uint8Array | undefined => {
    const groupId = key.slice('group/'.length)
    if (unreadable.includes(groupId)) return Buffer.from('no group')
    return live.includes(groupId)
      ? encodeGroup({ groupId, description, version: 1, incarnation: 'i', ...TIMES })
      : undefined
  }
  const recordOf = (key: string): KeyRecord => ({
    ...EMPTY_RECORD,
    state: successor(ABSENT, { proposerId: 1, sequence: 1 }, bytesOf(key)),
    chosen: isKnown(key.slice('group/'.length)),
  })
  const node = {
    async *scan({ start, end, limit = Number.POSITIVE_INFINITY }: ScanRange) {
      seen.nowMs += pageMs
      if (epochEnds-- > 0) throw new Error('the scan is for another epoch')
      const held = keys.filter((key) => compareKeys(key, start) >= 0 && compareKeys(key, end) < 0)
      for (let at = 0; at < Math.min(held.length, limit); at += PAGE_KEYS) {
        yield held.slice(at, at + PAGE_KEYS).map((key) => ({ key, record: recordOf(key) }))
      }
    },
  } as Partial<NodeTransport> as NodeTransport
  const client = {
    isQuorum: (nodes: number) => nodes === 1,
    judge: ([record]: Records) => ({ chosen: record?.chosen ? { state: record.state } : undefined }),
    read: async (key: string, resultOf: (value: Uint8Array | undefined) => unknown) => {
      seen.reads.push(key.slice('group/'.length))
      try {
        return { kind: 'decided', result: resultOf(bytesOf(key)) }
      } catch (error) {
        if (error instanceof UnreadableValueError) return { kind: 'not_applied', fault: 'unreadable' }
        throw error
      }
    },
  }
  const recipient = { clusterId: 'c', epoch: 1, nodeId: 'n' }
  const nodes = [{ transport: node, recipient, link: { isSuspect: false } }]
  const cluster = { client, nodes } as unknown as ConstructorParameters<typeof GroupRegistry>[0]
  const after = (delayMs: number, task: () => void) => {
    // Of the timers, only the pause before another try runs out here.
    if (delayMs < TIMEOUT_MS) setImmediate(task)
    return () => {}
  }
  const clock = { nowMs: () => seen.nowMs, after }
  return { registry: new GroupRegistry(cluster, { clock, operationTimeoutMs: TIMEOUT_MS }), seen }
}

async function scan(
  registry: GroupRegistry,
  after: string | undefined,
  limit: number,
): Promise<{ ids: string[]; after: string | undefined }> {
  const outcome = await registry.scan({ after, limit })
  assert.ok(outcome.kind === 'done')
  return { ids: outcome.value.groups.map(({ groupId }) => groupId), after: outcome.value.after }
}

const numbered = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(3, '0')}`)

test('pages of any size give every live group once', async () => {
  const live = numbered(23, 'g')
  for (const limit of [1, 3, 4, 5, 22, 23, 24, 1_000]) {
    const { registry } = aRegistry({ live, deleted: numbered(30, 'f') })
    const found: string[] = []
    let after: string | undefined
    do {
      const page = await scan(registry, after, limit)
      found.push(...page.ids)
      after = page.after
    } while (after !== undefined)
    assert.deepEqual(found, live)
  }
})

test('a group whose state the records of a quorum show is listed without a read, in the same order as the others', async () => {
  const live = numbered(23, 'g')
  const isKnown = (groupId: string) => !groupId.endsWith('7')
  const { registry, seen } = aRegistry({ live, deleted: numbered(30, 'f'), isKnown })
  assert.deepEqual(await scan(registry, undefined, 1_000), { ids: live, after: undefined })
  assert.deepEqual(seen.reads, ['f007', 'f017', 'f027', 'g007', 'g017'])
})

test('a page that the end of an epoch interrupts is begun again', async () => {
  const { registry } = aRegistry({ live: ['a', 'b'], epochEnds: 2 })
  assert.deepEqual(await scan(registry, undefined, 10), { ids: ['a', 'b'], after: undefined })
})

test('before the cluster is found, lists of groups and of API keys fail with the same reason as a read', async () => {
  const cluster = { client: undefined, nodes: [] } as unknown as ConstructorParameters<
    typeof GroupRegistry
  >[0]
  const options = { clock: { nowMs: () => 0, after: () => () => {} }, operationTimeoutMs: TIMEOUT_MS }
  const registry = new GroupRegistry(cluster, options)
  const keys = new RegisterKeyStore(cluster, options)
  const expected = { kind: 'not_applied', reason: 'no quorum of nodes has been reached yet' }
  assert.deepEqual(await registry.read('a'), expected)
  assert.deepEqual(await registry.scan({ after: undefined, limit: 10 }), expected)
  assert.deepEqual(await keys.scan({ after: undefined, limit: 10 }), expected)
})

test('without enough nodes, a page fails when its time is over', async () => {
  const { registry } = aRegistry({ live: ['a'], epochEnds: Number.POSITIVE_INFINITY, pageMs: TIMEOUT_MS / 4 })
  assert.equal((await registry.scan({ after: undefined, limit: 10 })).kind, 'not_applied')
})

test('a small page reads no more groups than it shows', async () => {
  const { registry, seen } = aRegistry({ live: numbered(23, 'g') })
  assert.deepEqual(await scan(registry, undefined, 2), { ids: ['g000', 'g001'], after: 'g001' })
  assert.deepEqual(seen.reads, ['g000', 'g001'])
})

test('where many groups were deleted, a page ends when its time is over, and the next one continues there', async () => {
  const { registry } = aRegistry({ live: ['a', 'z'], deleted: numbered(1_000, 'g'), pageMs: 300 })
  let page = await scan(registry, undefined, 10)
  assert.deepEqual([page.ids, page.after], [['a'], 'g958'])
  const found = [...page.ids]
  for (let count = 0; page.after !== undefined; count += 1) {
    assert.ok(count < 20)
    page = await scan(registry, page.after, 10)
    found.push(...page.ids)
  }
  assert.deepEqual(found, ['a', 'z'])
})

test('a page of large groups ends early, and the next one continues there', async () => {
  const live = numbered(30, 'g')
  for (const isKnown of [() => true, () => false]) {
    const { registry } = aRegistry({ live, isKnown, description: 'x'.repeat(1_000_000) })
    const pages = [await scan(registry, undefined, 1_000)]
    while (pages.at(-1)!.after !== undefined) pages.push(await scan(registry, pages.at(-1)!.after, 1_000))
    assert.deepEqual(
      pages.flatMap(({ ids }) => ids),
      live,
    )
    for (const { ids } of pages) assert.ok(ids.length <= 8, `${ids.length} groups of a megabyte`)
  }
})

test('pages of a prefix have its groups, and the nodes are asked for no other keys', async () => {
  const live = ['a', 'b', 'b/1', 'b/2', 'b/3', 'b0', 'c']
  for (const limit of [1, 2, 3, 1_000]) {
    const { registry, seen } = aRegistry({ live, deleted: numbered(30, 'b/d') })
    const found: string[] = []
    let after: string | undefined
    do {
      const outcome = await registry.scan({ after, limit, prefix: 'b/' })
      assert.ok(outcome.kind === 'done')
      found.push(...outcome.value.groups.map(({ groupId }) => groupId))
      after = outcome.value.after
    } while (after !== undefined)
    assert.deepEqual(found, ['b/1', 'b/2', 'b/3'])
    assert.deepEqual(
      seen.reads.filter((id) => !id.startsWith('b/')),
      [],
    )
  }
  const { registry } = aRegistry({ live })
  for (const [after, prefix] of [
    ['b0', 'b/'],
    ['z', 'b/'],
    ['\u{10ffff}', '\u{10ffff}'],
  ] as const) {
    const outcome = await registry.scan({ after, limit: 1, prefix })
    assert.deepEqual(outcome, { kind: 'done', value: { groups: [], after: undefined } })
  }
})

test('pages of any size give every group that is wanted once, and one that cannot be read', async () => {
  const live = numbered(300, 'g')
  const isWanted = ({ groupId }: Group) => groupId.endsWith('7')
  for (const isKnown of [() => true, () => false]) {
    for (const limit of [1, 3, 29, 30, 31, 1_000]) {
      const { registry } = aRegistry({ live, isKnown, unreadable: ['g100'] })
      const found: string[] = []
      const unreadable: string[] = []
      let after: string | undefined
      do {
        const outcome = await registry.scan({ after, limit, isWanted })
        assert.ok(outcome.kind === 'done')
        found.push(...outcome.value.groups.map(({ groupId }) => groupId))
        unreadable.push(...(outcome.value.unreadable ?? []))
        after = outcome.value.after
      } while (after !== undefined)
      assert.deepEqual([found, unreadable], [live.filter((id) => id.endsWith('7')), ['g100']])
    }
  }
})

test('a group that cannot be read is named on its page, and the others are still shown', async () => {
  const live = numbered(12, 'g')
  const unreadable = ['g000', 'g004', 'g005', 'g011']
  for (const isKnown of [() => true, () => false]) {
    for (const limit of [1, 2, 5, 12, 1_000]) {
      const { registry } = aRegistry({ live, isKnown, unreadable })
      const found = { groups: [] as string[], unreadable: [] as string[] }
      let after: string | undefined
      do {
        const outcome = await registry.scan({ after, limit })
        assert.ok(outcome.kind === 'done')
        const { groups, unreadable: named = [] } = outcome.value
        assert.ok(groups.length + named.length <= limit, 'a page has no more than was asked for')
        found.groups.push(...groups.map(({ groupId }) => groupId))
        found.unreadable.push(...named)
        after = outcome.value.after
      } while (after !== undefined)
      assert.deepEqual(found, { groups: live.filter((id) => !unreadable.includes(id)), unreadable })
    }
  }
  const { registry } = aRegistry({ live })
  const page = await registry.scan({ after: undefined, limit: 12 })
  assert.ok(page.kind === 'done' && !('unreadable' in page.value))
})

test('a group that cannot be read is told from one that too few nodes know, and the other groups are read', async () => {
  const { registry } = aRegistry({ live: ['good', 'bad'], unreadable: ['bad'] })
  const outcome = await registry.read('bad')
  assert.ok(outcome.kind === 'unreadable')
  assert.match(outcome.reason, /cannot be read: see the log$/)
  assert.equal((await registry.read('good')).kind, 'done')
})
