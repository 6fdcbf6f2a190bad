import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeGroup, encodeGroup } from '../../group/group-codec.ts'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { RequestBatch } from '../../rpc/messages.ts'
import type { NodeTransport, StreamHandlers } from '../../rpc/transport.ts'
import { aNode, anAccept, aTransport, recordOf } from '../../testing/node-service.ts'
import { readNode } from './read-node.ts'

const TIME = '2026-01-01T00:00:00.000Z'

test('groups of the largest size are read from a node, hundreds of them', async (t) => {
  const { address, store } = await aNode(t)
  const labels = { much: 'x'.repeat(90_000) }
  const groupIds = Array.from({ length: 300 }, (_, index) => `g${index}`)
  store.transaction(() => {
    const times = { createdAt: TIME, updatedAt: TIME }
    for (const groupId of groupIds) {
      const key = `group/${groupId}`
      const value = encodeGroup({ groupId, labels, version: 1, incarnation: 'i', ...times })
      store.save(key, EMPTY_RECORD, recordOf(anAccept(key, value)))
    }
    const members = [{ nodeId: store.nodeId, address }]
    store.saveMembership({ clusterId: 'c', epoch: 1, members, tombstoneGraceMs: 3_600_000 })
  })
  const found: (string | undefined)[] = []
  await readNode({
    transport: aTransport(t, address),
    wanted: [...groupIds, 'away'].map((groupId, number) => ({ number, key: `group/${groupId}` })),
    check: () => undefined,
    onValue: (number, value) => {
      const group = value && decodeGroup(value)
      found[number] = group && `${group.groupId} ${group.labels?.much?.length}`
    },
  })
  assert.deepEqual(found, [...groupIds.map((groupId) => `${groupId} 90000`), undefined])
})

/** A node that a test plays: what it was sent, and what it answers. */
function aPlayedNode() {
  const sent: RequestBatch[] = []
  const node = {
    describeMs: 0,
    openCount: 0,
    closeCount: 0,
    handlers: undefined as StreamHandlers | undefined,
  }
  const transport = {
    describe: async (timeoutMs: number) => {
      node.describeMs = timeoutMs
      return { nodeId: 'n1', membership: { clusterId: 'c', epoch: 4 } }
    },
    open: (handlers: StreamHandlers) => {
      node.openCount += 1
      node.handlers = handlers
      return {
        send: (batch: RequestBatch) => void sent.push(batch),
        close: () => {
          node.closeCount += 1
        },
      }
    },
  } as unknown as NodeTransport
  const answer = ({ batchId, requests }: RequestBatch, found: object = EMPTY_ANSWER) =>
    node.handlers!.onAnswers({ batchId, answers: requests.map(() => found), mismatch: undefined } as never)
  const read = (count: number, wanted: (number: number) => void = () => undefined) =>
    readNode({
      transport,
      wanted: Array.from({ length: count }, (_, number) => ({ number, key: `group/g${number}` })),
      check: () => undefined,
      onValue: wanted,
    })
  return { node, sent, answer, read }
}

const EMPTY_ANSWER = { record: EMPTY_RECORD }
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('a node gets two batches at a time, each of at most 128 reads, and is left when all are answered', async (t) => {
  const set = t.mock.method(globalThis, 'setTimeout')
  const { node, sent, answer, read } = aPlayedNode()
  const numbers: number[] = []
  const reading = read(300, (number) => numbers.push(number))
  await turn()
  assert.deepEqual(
    sent.map(({ requests }) => requests.length),
    [128, 128],
  )
  assert.deepEqual(
    [sent[0]?.clusterId, sent[0]?.epoch, sent[0]?.nodeId, node.describeMs],
    ['c', 4, 'n1', 2_000],
  )
  const [call] = set.mock.calls
  const refresh = t.mock.method(call!.result!, 'refresh')
  for (const index of [0, 1, 2]) answer(sent[index]!)
  await reading
  assert.deepEqual(
    [call!.arguments[1], refresh.mock.callCount()],
    [5_000, 3],
    'five seconds from each answer on',
  )
  assert.deepEqual([sent.length, sent[2]?.requests.length, numbers.length], [3, 44, 300])
  assert.deepEqual([node.openCount, node.closeCount], [1, 1])
})

test('a node that does not answer a batch for five seconds is left, and one without an answer is named so', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { node, read } = aPlayedNode()
  const reading = read(1)
  await turn()
  t.mock.timers.tick(4_999)
  await turn()
  assert.equal(node.closeCount, 0)
  t.mock.timers.tick(1)
  await assert.rejects(reading, /no answer to a read/)
  assert.equal(node.closeCount, 1)
})

const ENDS: readonly Readonly<{
  what: string
  end: (it: ReturnType<typeof aPlayedNode>) => void
  says: RegExp
}>[] = [
  {
    what: 'another node answers',
    end: ({ node }) => node.handlers!.onAnswers({ batchId: 1, answers: [], mismatch: {} } as never),
    says: /another node answers now/,
  },
  {
    what: 'a record is damaged',
    end: ({ answer, sent }) => answer(sent[0]!, { promiseBound: 3 }),
    says: /its record of group\/g0 is damaged/,
  },
  {
    what: 'the stream ends',
    end: ({ node }) => node.handlers!.onClose('it has stopped'),
    says: /it has stopped/,
  },
]

for (const { what, end, says } of ENDS) {
  test(`a read of a node ends when ${what}, and leaves neither timer nor stream`, async (t) => {
    const clear = t.mock.method(globalThis, 'clearTimeout')
    const it = aPlayedNode()
    const reading = it.read(1)
    await turn()
    end(it)
    await assert.rejects(reading, says)
    assert.deepEqual([it.node.closeCount, clear.mock.callCount()], [1, 1])
  })
}
