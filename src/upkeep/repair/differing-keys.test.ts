import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { leafOf } from '../../node/store/digest-hash.ts'
import type { Clock } from '../../process/clock.ts'
import { compareKeys } from '../../rpc/key-order.ts'
import { LEAF_COUNT } from '../../rpc/messages.ts'
import { Chance } from '../../sim/chance.ts'
import { aRecord, MemoryMember } from '../../testing/memory-member.ts'
import { anyText } from '../../testing/text-arbitraries.ts'
import { type Comparison, differingKeys, drawStart } from './differing-keys.ts'

const EVERY_LEAF = new Set(Array.from({ length: LEAF_COUNT }, (_, leaf) => leaf))

function comparing(members: readonly MemoryMember[], leaves: ReadonlySet<number> = EVERY_LEAF): Comparison {
  return { clusterId: 'c', epoch: 1, members, leaves }
}

/** Time passes only for who waits in vain. */
const CLOCK: Clock = {
  nowMs: () => 0,
  after(_delayMs, task) {
    const timer = setImmediate(() => setImmediate(task))
    return () => clearImmediate(timer)
  },
  defer: (task) => setImmediate(task),
}

async function differing(members: readonly MemoryMember[], start = ''): Promise<[string, string[]][]> {
  const found: [string, string[]][] = []
  for await (const keys of differingKeys(comparing(members), start, CLOCK)) {
    for (const { key, lagging } of keys) found.push([key, lagging.map(({ nodeId }) => nodeId)])
  }
  return found
}

test('the keys that differ are found, in order, with the nodes that lack the newest record', () => {
  const kinds = {
    none: undefined,
    promised: { ...aRecord(1, [1]), accepted: undefined, chosen: false },
    old: aRecord(1, [1]),
    lost: aRecord(2, [1, 9], false),
    new: aRecord(2, [1, 2]),
  }
  const kind = fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[]))
  const world = fc.dictionary(anyText({ minLength: 1, maxLength: 3 }), fc.tuple(kind, kind, kind))
  const pageSizes = fc.tuple(...[1, 1, 1].map(() => fc.integer({ min: 1, max: 4 })))
  return fc.assert(
    fc.asyncProperty(world, pageSizes, async (held, sizes) => {
      const keys = Object.keys(held).sort(compareKeys)
      const members = [0, 1, 2].map((index) => {
        const records = keys.flatMap((key) => {
          const record = kinds[held[key]![index]!]
          return record === undefined ? [] : [[key, record] as const]
        })
        const member = new MemoryMember(`n${index}`, records)
        member.pageSize = sizes[index]!
        return member
      })
      const expected = keys.flatMap((key) => {
        const of = held[key]!
        const newest = (['new', 'lost', 'old'] as const).find((one) => of.includes(one))
        const lagging = [0, 1, 2].filter((index) => of[index] !== newest).map((index) => `n${index}`)
        return newest === undefined || lagging.length === 0 ? [] : [[key, lagging]]
      })
      assert.deepEqual(await differing(members), expected)
    }),
  )
})

test('whatever key it starts from, all are found: those before it come last', async () => {
  const keys = ['b', 'd', 'f']
  const has = new MemoryMember(
    'n1',
    keys.map((key) => [key, aRecord(1, [1])]),
  )
  const lacks = new MemoryMember('n2', [])
  for (const [start, expected] of [
    ['', 'bdf'],
    ['b', 'bdf'],
    ['c', 'dfb'],
    ['f', 'fbd'],
    ['g', 'bdf'],
  ] as const) {
    const found = await differing([has, lacks], start)
    assert.equal(found.map(([key]) => key).join(''), expected)
  }
})

test('the key to start from is any key that a node holds in the leaves', async () => {
  const keys = ['b', 'd', 'f']
  const members = [
    new MemoryMember('n1', [['b', aRecord(1, [1])]]),
    new MemoryMember(
      'n2',
      keys.map((key) => [key, aRecord(1, [1])]),
    ),
  ]
  const leaves = new Set(keys.map(leafOf))
  const chance = new Chance(1)
  const drawn = new Set<string>()
  for (let i = 0; i < 50; i += 1)
    drawn.add(await drawStart(comparing(members, leaves), () => chance.uniform(), CLOCK))
  assert.deepEqual([...drawn].sort(), keys)
  const unused = new Set([...EVERY_LEAF].filter((leaf) => !leaves.has(leaf)).slice(0, 3))
  assert.equal(await drawStart(comparing(members, unused), () => 0.5, CLOCK), '')
})

test('a scan whose node stops in the middle ends when the link reports the node as lost', async () => {
  const records = ['a', 'b', 'c', 'd', 'e'].map((key) => [key, aRecord(1, [1])] as const)
  const [one, two] = [new MemoryMember('n1', records), new MemoryMember('n2', records)]
  two.isLost = true
  two.isReachable = false
  await assert.rejects(differing([one, two]), /n2 was lost/)
})

test('scans end with the search, even if the search is left early or loses a node', async () => {
  const records = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => [key, aRecord(1, [1])] as const)
  const members = [new MemoryMember('n1', records), new MemoryMember('n2'), new MemoryMember('n3', records)]
  const openCount = () => members.reduce((sum, { openScanCount }) => sum + openScanCount, 0)
  await differing(members)
  assert.equal(openCount(), 0)

  for await (const _keys of differingKeys(comparing(members), '', CLOCK)) {
    assert.ok(openCount() > 0, 'it is in the middle of a scan')
    break
  }
  await settled()
  assert.equal(openCount(), 0)

  await drawStart(comparing(members), () => 0.5, CLOCK)
  assert.equal(openCount(), 0)

  const [lost] = members
  for await (const _keys of differingKeys(comparing(members), '', CLOCK)) {
    Object.assign(lost!, { isLost: true, isReachable: false })
    break
  }
  await assert.rejects(differing(members), /n1 was lost/)
  await settled()
  // The scan of the lost node waits for a page that never comes; it ends with the connection.
  assert.equal(openCount(), 1)
})

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
