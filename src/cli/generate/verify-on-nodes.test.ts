import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Group } from '../../group/group.ts'
import { decodeGroup, encodeGroup } from '../../group/group-codec.ts'
import { ABSENT, successor } from '../../register/state.ts'
import type { Membership, RequestBatch } from '../../rpc/messages.ts'
import type { NodeTransport } from '../../rpc/transport.ts'
import { stateOfGroup } from './create-groups.ts'
import { Ledger } from './ledger.ts'
import { verifyOnNodes } from './verify-on-nodes.ts'

function aGroup(groupId: string, version = 1): Group {
  return { groupId, version, incarnation: 'i', createdAt: `c-${groupId}`, updatedAt: `u-${version}` }
}

/** A node in memory behind the transport's interface. `groups` is called for every read. */
type NodeOptions = Readonly<{
  groups: (groupId: string) => Group | undefined
  clusterId?: string | undefined
  describe?: () => void
  isNew?: boolean
  batches?: RequestBatch[]
}>

function aNode({
  groups,
  clusterId = 'c',
  describe,
  isNew = false,
  batches = [],
}: NodeOptions): NodeTransport {
  const membership: Membership | undefined = isNew
    ? undefined
    : { clusterId, epoch: 1, members: [], tombstoneGraceMs: 3_600_000 }
  return {
    describe: async () => {
      describe?.()
      return {
        nodeId: 'n',
        membership,
        version: '',
        recordCount: 0,
        tombstoneCount: 0,
        stubCount: 0,
        damagedCount: 0,
        healedCount: 0,
      }
    },
    open: (handlers) => ({
      send: (batch) => {
        batches.push(batch)
        const answers = batch.requests.map(({ key }) => {
          const group = groups(key.slice('group/'.length))
          const writeId = { proposerId: 1, sequence: 1 }
          const state = group === undefined ? ABSENT : successor(ABSENT, writeId, encodeGroup(group))
          const promised = { round: 1, proposerId: 0 }
          return { ok: true, record: { promised, accepted: undefined, state, chosen: false, isStub: false } }
        })
        queueMicrotask(() => handlers.onAnswers({ batchId: batch.batchId, answers, mismatch: undefined }))
      },
      close: () => undefined,
    }),
    digest: () => Promise.reject(new Error('not asked')),
    changes: () => Promise.reject(new Error('not asked')),
    scan: async function* () {},
    close: () => undefined,
  }
}

const IDS = Array.from({ length: 1_234 }, (_, index) => `g${index}`)

async function verify(
  nodes: readonly NodeOptions[],
  rest: Readonly<{ ids?: readonly string[]; unknown?: readonly string[]; patienceMs?: number }> = {},
) {
  const { ids = IDS, unknown = [], patienceMs = 0 } = rest
  const all = [...ids, ...unknown]
  // One more than was asked for: nothing was sent for it.
  const ledger = new Ledger(all.length + 1)
  for (const [number, id] of all.entries()) {
    if (number < ids.length) ledger.make(number, stateOfGroup(aGroup(id)))
    else ledger.send(number)
  }
  const verdicts = await verifyOnNodes({
    addresses: nodes.map((_, index) => String(index)),
    clusterId: 'c',
    ledger,
    keyOf: (number) => (all[number] === 'keyless' ? undefined : `group/${all[number]}`),
    stateOf: (value) => stateOfGroup(decodeGroup(value)),
    connect: (address) => aNode(nodes[Number(address)]!),
    patienceMs,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  })
  return verdicts.map(({ held, heldUnknown, ...verdict }) => ({
    ...verdict,
    heldCount: held.size,
    held: all.filter((_, number) => held.has(number)),
    heldUnknown: all.filter((_, number) => heldUnknown.has(number)),
  }))
}

test('a node that holds every group as it was created passes, in batches of at most 128', async () => {
  const batches: RequestBatch[] = []
  const [verdict] = await verify([{ groups: aGroup, batches }])
  assert.equal(verdict?.heldCount, IDS.length)
  assert.equal(verdict.problem, undefined)
  assert.deepEqual(
    batches.map(({ requests }) => requests.length),
    [...Array(9).fill(128), 82],
  )
  assert.ok(
    batches.every(({ nodeId, clusterId, epoch }) => nodeId === 'n' && clusterId === 'c' && epoch === 1),
  )
})

test('an absent group, another version and another incarnation count as missing', async () => {
  const [verdict] = await verify(
    [
      {
        groups: (id) => {
          if (id === 'gone') return undefined
          if (id === 'newer') return aGroup(id, 2)
          return { ...aGroup(id), ...(id === 'reborn' ? { createdAt: 'later' } : {}) }
        },
      },
    ],
    { ids: ['gone', 'newer', 'reborn', 'same', 'keyless'] },
  )
  assert.deepEqual(verdict?.held, ['same'])
})

test('a node that lags is asked again only for the groups that it lacked', async () => {
  const batches: RequestBatch[] = []
  let rounds = 0
  const describe = () => {
    rounds += 1
  }
  const groups = (id: string) => (id === 'late' && rounds < 2 ? undefined : aGroup(id))
  const [verdict] = await verify([{ groups, describe, batches }], {
    ids: ['early', 'late'],
    patienceMs: 60_000,
  })
  assert.equal(verdict?.heldCount, 2)
  assert.deepEqual(batches.at(-1)?.requests, [{ key: 'group/late', request: { kind: 'read' } }])
})

test('a node that is away, new, or of another cluster holds nothing, and the others are not kept from it', async () => {
  const refuse = () => {
    throw new Error('14 UNAVAILABLE')
  }
  const verdicts = await verify([
    { groups: aGroup, describe: refuse },
    { groups: aGroup, isNew: true },
    { groups: aGroup, clusterId: 'other' },
    { groups: aGroup },
  ])
  assert.deepEqual(
    verdicts.map(({ heldCount, problem }) => [heldCount, problem]),
    [
      [0, 'no answer'],
      [0, 'it belongs to no cluster yet'],
      [0, 'it belongs to another cluster'],
      [IDS.length, undefined],
    ],
  )
})

test('groups whose creation is unknown are looked for once, without waiting', async () => {
  const groups = (id: string) => (id === 'u2' ? undefined : aGroup(id, 3))
  const [verdict] = await verify([{ groups }], { ids: [], unknown: ['u1', 'u2'], patienceMs: 60_000 })
  assert.deepEqual(verdict?.heldUnknown, ['u1'])
})
