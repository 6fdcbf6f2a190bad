import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Request } from '../register/messages.ts'
import type { AnswerBatch, KeyedRequest, Membership, Recipient, RequestBatch } from '../rpc/messages.ts'
import { wholeAnswer, wholeEntry } from '../testing/whole.ts'
import { NodeHandler } from './handler.ts'
import { DamagedRecordError } from './store/damaged-record.ts'
import type { IndexLimits } from './store/key-index.ts'
import { SqliteStore } from './store/sqlite-store.ts'

type Options = Readonly<{ limits?: IndexLimits; clusterId?: string }>

/** A handler on a real store, whose turns the test runs by hand. */
function aNode(t: TestContext, { clusterId, ...limits }: Options = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-handler-'))
  const store = new CountingStore(join(directory, 'node.db'), limits)
  t.after(() => {
    store.close()
    rmSync(directory, { recursive: true })
  })
  const deferred: (() => void)[] = []
  const failures: unknown[] = []
  const replies: AnswerBatch[] = []
  const refusals: string[] = []
  const foreign: string[] = []
  const handler = new NodeHandler({
    store,
    version: '1.0.0',
    defer: (fn) => deferred.push(fn),
    clusterId,
    onFatal: (error) => failures.push(error),
    onForeign: (sentence) => foreign.push(sentence),
  })
  let batchId = 0
  const membership = aMembership(store.nodeId)
  const send = (requests: KeyedRequest[], parts: Partial<RequestBatch> = {}) => {
    const epoch = { clusterId: 'c', epoch: 1, nodeId: store.nodeId, membership: undefined }
    const header = { ...epoch, sentMs: 0, lifeMs: 0 }
    const batch = { batchId: ++batchId, ...header, requests, ...parts }
    handler.receive(
      batch,
      (answers) => replies.push(answers),
      (reason) => refusals.push(reason),
    )
  }
  const turn = () => {
    for (const fn of deferred.splice(0)) fn()
    return replies.splice(0).map((batch) => ({ ...batch, answers: batch.answers.map(wholeAnswer) }))
  }
  const adopt = () => {
    send([], { membership })
    turn()
    store.commits = 0
  }
  const seen = { failures, replies, refusals, foreign }
  return { handler, store, send, turn, join: adopt, membership, deferred, ...seen }
}

/** A real store that counts the transactions that changed something. */
class CountingStore extends SqliteStore {
  commits = 0
  #hasSaved = false
  #isOpen = true

  override transaction<T>(fn: () => T): T {
    this.#hasSaved = false
    const result = super.transaction(fn)
    if (this.#hasSaved) this.commits++
    return result
  }

  override save(...args: Parameters<SqliteStore['save']>): void {
    this.#hasSaved = true
    super.save(...args)
  }

  override insert(...args: Parameters<SqliteStore['insert']>): boolean {
    const isNew = super.insert(...args)
    if (isNew) this.#hasSaved = true
    return isNew
  }

  override flush(isIdle: boolean): boolean {
    this.#hasSaved = true
    return super.flush(isIdle)
  }

  override close(): void {
    if (this.#isOpen) super.close()
    this.#isOpen = false
  }
}

function aMembership(nodeId: string, epoch = 1): Membership {
  return { clusterId: 'c', epoch, members: [{ nodeId, address: 'host:1' }], tombstoneGraceMs: 3_600_000 }
}

const FIRST = { round: 1, proposerId: 0 }
const SECOND = { round: 2, proposerId: 0 }

function accept(key: string, sequence: number): KeyedRequest {
  const writeId = { proposerId: 7, sequence }
  const state = { generation: 1, writeId, lineage: [writeId], value: Buffer.from(`${sequence}`) }
  return { key, request: { kind: 'accept', ballot: FIRST, state, next: SECOND } }
}

function mark(key: string, sequence: number): KeyedRequest {
  return { key, request: { kind: 'mark', ballot: FIRST, writeId: { proposerId: 7, sequence } } }
}

const read = (key: string): KeyedRequest => ({ key, request: { kind: 'read' } satisfies Request })

test('all batches of a turn share one transaction, and are answered in order after it', (t) => {
  const { store, send, turn, join, replies, deferred } = aNode(t)
  join()
  send([accept('group/a', 1), read('group/a')])
  send([accept('group/b', 2)])
  assert.equal(deferred.length, 1)
  assert.equal(replies.length, 0)
  const answered = turn()
  assert.equal(store.commits, 1)
  assert.deepEqual(
    answered.map(({ answers }) => answers.map(({ ok }) => ok)),
    [[true, true], [true]],
  )
  assert.equal(answered[0]?.answers[1]?.record.state.writeId.sequence, 1)
})

test('a turn of reads and marks writes nothing', (t) => {
  const { store, send, turn, join } = aNode(t)
  join()
  send([accept('group/a', 1)])
  turn()
  store.commits = 0
  send([mark('group/a', 1), read('group/a'), read('group/none')])
  const [answered] = turn()
  assert.equal(store.commits, 0)
  assert.deepEqual(
    answered?.answers.map(({ record }) => record.chosen),
    [true, false],
  )
})

test('only a turn that may save something takes the lock of a writer', (t) => {
  const { store, send, turn, join, membership } = aNode(t)
  join()
  const opened: string[] = []
  for (const name of ['transaction', 'view'] as const) {
    const run = store[name].bind(store)
    store[name] = <T>(fn: () => T) => {
      opened.push(name)
      return run(fn)
    }
  }
  const openedBy = (requests: KeyedRequest[], more: Parameters<typeof send>[1] = {}) => {
    send(requests, more)
    turn()
    return opened.splice(0)
  }
  assert.deepEqual(openedBy([read('group/a'), mark('group/a', 1)]), ['view'])
  assert.deepEqual(openedBy([]), ['view'])
  assert.deepEqual(openedBy([read('group/a'), accept('group/a', 1)]), ['transaction'])
  assert.deepEqual(openedBy([], { membership }), ['transaction'])
})

test('a mark counts for answers and scans only if it is about the state of the record', (t) => {
  const { handler, send, turn, join } = aNode(t)
  join()
  send([accept('group/a', 1), accept('group/b', 2)])
  send([mark('group/a', 1), mark('group/b', 99)])
  turn()
  const slice = handler.scan({ start: '', end: '', omitValues: false }, 9)
  assert.ok(slice !== undefined && slice !== 'not_meant')
  assert.deepEqual(
    slice.entries.map(wholeEntry).map(({ record }) => record.chosen),
    [true, false],
  )
})

test('a mark is kept by a change of the promise', (t) => {
  const { send, turn, join } = aNode(t)
  join()
  send([accept('group/a', 1)])
  send([mark('group/a', 1)])
  send([{ key: 'group/a', request: { kind: 'prepare', ballot: { round: 9, proposerId: 5 } } }])
  send([read('group/a')])
  assert.equal(turn().at(-1)?.answers[0]?.record.chosen, true)
})

test('a mark in the same turn as its vote counts for what comes after it', (t) => {
  const { send, turn, join } = aNode(t)
  join()
  send([accept('group/a', 1), mark('group/a', 1), read('group/a')])
  const [answered] = turn()
  assert.deepEqual(
    answered?.answers.map(({ record }) => record.chosen),
    [false, true],
  )
})

test('an accept at the first ballot is refused where the key has a record, and taken again where it is the same', (t) => {
  const { store, send, turn, join } = aNode(t)
  join()
  send([accept('group/a', 1), accept('group/a', 2), accept('group/a', 1)])
  const [answered] = turn()
  assert.deepEqual(
    answered?.answers.map(({ ok, record }) => [ok, record.state.writeId.sequence]),
    [
      [true, 1],
      [false, 1],
      [true, 1],
    ],
  )
  assert.equal(store.inventory.counts.recordCount, 1)
})

test('an idle node writes what it has put off, step by step, and a node that ends does so at once', (t) => {
  for (const isEnding of [true, false]) {
    const { handler, store, send, turn, join } = aNode(t, { limits: { sweepAt: 1_000, keysPerStep: 4 } })
    join()
    send(Array.from({ length: 100 }, (_, i) => accept(`group/${i}`, i + 1)))
    turn()
    assert.equal(store.waitingKeys, 100)
    if (isEnding) handler.settle(1_000, () => 0)
    else for (let calls = 0; calls < 20; calls += 1) idle(handler)
    assert.equal(store.waitingKeys, 0)
  }
})

function idle(handler: NodeHandler): void {
  handler.flush()
  handler.reclaim()
}

test('a node that ends writes no longer than its limit', (t) => {
  const { handler, store, send, turn, join } = aNode(t, { limits: { sweepAt: 1_000, keysPerStep: 1 } })
  join()
  send(Array.from({ length: 100 }, (_, i) => accept(`group/${i}`, i + 1)))
  turn()
  let nowMs = 0
  handler.settle(3, () => nowMs++)
  assert.ok(store.waitingKeys > 50, `${store.waitingKeys} keys wait`)
})

test('a new node votes only on the keys of its cluster', (t) => {
  const { store, send, turn } = aNode(t)
  const asNew = { clusterId: '', epoch: 0 }
  send([accept('cluster/membership', 1)], asNew)
  send([accept('cluster/membership', 1), read('group/a')], asNew)
  send([read('cluster/membership')])
  const [acted, ...refused] = turn()
  assert.equal(acted?.answers[0]?.ok, true)
  for (const { answers, mismatch } of refused) {
    assert.deepEqual(answers, [])
    assert.deepEqual(mismatch, { nodeId: store.nodeId, membership: undefined })
  }
})

test('a batch for another node, cluster or epoch is not acted on, and is answered with the membership', (t) => {
  const { store, send, turn, join, membership } = aNode(t)
  join()
  const wrong = [{ nodeId: 'another' }, { clusterId: 'another' }, { epoch: 2 }, { clusterId: '', epoch: 0 }]
  for (const header of wrong) {
    send([accept('group/a', 1)], header)
    const [refused] = turn()
    assert.deepEqual(refused?.mismatch, { nodeId: store.nodeId, membership })
    assert.deepEqual(refused?.answers, [])
  }
  assert.equal(store.commits, 0)
})

test('a membership that names the node is adopted durably before it acts', (t) => {
  const { store, send, turn, membership } = aNode(t)
  send([accept('group/a', 1)], { membership })
  const [acted] = turn()
  assert.equal(acted?.answers[0]?.ok, true)
  assert.deepEqual(store.membership, membership)

  const newer = aMembership(store.nodeId, 3)
  send([read('group/a')], { membership: newer, epoch: 3 })
  assert.equal(turn()[0]?.mismatch, undefined)
  assert.deepEqual(store.membership, newer)
})

test('a node describes what it has voted for in the register of the membership, adopted or not', (t) => {
  const { handler, store, send, turn, join, failures } = aNode(t)
  assert.equal(handler.describe()?.membershipVote, undefined)
  join()
  send([accept('cluster/membership', 5)])
  send([accept('group/a', 1)])
  turn()
  assert.equal(Buffer.from(handler.describe()!.membershipVote!).toString(), '5')
  t.mock.method(store, 'load', () => {
    throw new DamagedRecordError('cluster/membership', 'of the test')
  })
  assert.equal(
    handler.describe()!.nodeId,
    store.nodeId,
    'a damaged record keeps no node from saying who it is',
  )
  assert.equal(handler.describe()!.membershipVote, undefined)
  assert.deepEqual(failures, [])
})

test('a node with CLUSTER_ID joins that cluster and no other, and forms no new one', (t) => {
  const { store, send, turn, membership, foreign } = aNode(t, { clusterId: 'c' })
  const asNew = { clusterId: '', epoch: 0 }
  const other = { ...membership, clusterId: 'other' }
  send([], asNew)
  send([accept('cluster/membership', 1)], asNew)
  send([read('cluster/membership')], asNew)
  send([accept('group/a', 1)], { membership: other, clusterId: 'other' })
  const [hello, ...refused] = turn()
  assert.equal(hello?.mismatch, undefined, 'who it is, it says to anybody')
  for (const { answers, mismatch } of refused) {
    assert.deepEqual(answers, [])
    assert.deepEqual(mismatch, { nodeId: store.nodeId, membership: undefined })
  }
  assert.equal(store.inventory.counts.recordCount, 0)
  assert.deepEqual(foreign, [
    'a connector wants this node for a new cluster, because it is empty, but CLUSTER_ID is c: the node does not answer it',
  ])
  send([accept('group/a', 1)], { membership })
  assert.equal(turn()[0]?.answers[0]?.ok, true)
  assert.deepEqual(store.membership, membership)
})

test('an older, a foreign, or a stranger membership is not adopted', (t) => {
  const { store, send, turn, join, membership } = aNode(t)
  const foreign = { ...aMembership(store.nodeId, 9), clusterId: 'foreign' }
  send([], { membership: aMembership('another'), epoch: 1 })
  assert.notEqual(turn()[0]?.mismatch, undefined)
  assert.equal(store.membership, undefined)
  join()
  for (const offered of [aMembership(store.nodeId, 1), foreign, aMembership('another', 1)]) {
    send([], { membership: offered, clusterId: offered.clusterId, epoch: offered.epoch })
    turn()
    assert.deepEqual(store.membership, membership)
  }
  send([], { nodeId: 'another', membership: aMembership(store.nodeId, 9) })
  turn()
  assert.deepEqual(store.membership, membership)
})

test('a joint epoch is adopted by the nodes that stay, those that join, and those that leave', (t) => {
  for (const side of ['members', 'outgoing', 'both'] as const) {
    const { store, send, turn, join } = aNode(t)
    join()
    const [self, other] = [aMembership(store.nodeId).members, aMembership('another').members]
    const members = side === 'outgoing' ? other : self
    const joint = {
      clusterId: 'c',
      epoch: 2,
      tombstoneGraceMs: 3_600_000,
      members,
      outgoing: side === 'members' ? other : self,
    }
    send([read('group/a')], { membership: joint, epoch: 2 })
    assert.equal(turn()[0]?.mismatch, undefined)
    assert.deepEqual(store.membership, joint)
  }
})

test('a node that is no longer a member keeps its data, answers nothing, and stops', (t) => {
  const { handler, store, send, turn, join, membership, failures } = aNode(t)
  join()
  send([accept('group/a', 1)])
  turn()
  send([accept('group/a', 2)], { membership: { ...aMembership('another', 3) }, epoch: 3 })
  assert.deepEqual(turn(), [])
  assert.match(String(failures[0]), /is no longer a member of the cluster c.* between the epochs 1 and 3/)
  assert.equal((failures[0] as { code?: string }).code, 'not_a_member')
  send([read('group/a')])
  assert.deepEqual(turn(), [])
  assert.equal(handler.describe(), undefined)
  assert.deepEqual([store.membership, store.load('group/a').accepted?.round], [membership, 1])
})

test('a scan for another node, cluster or epoch is refused, even after it has begun', (t) => {
  const { handler, store, send, turn, join } = aNode(t)
  join()
  const scan = (recipient: Recipient) => handler.scan({ start: '', end: '', omitValues: true, recipient }, 9)
  const meant = { clusterId: 'c', epoch: 1, nodeId: store.nodeId }
  assert.notEqual(scan(meant), 'not_meant')
  for (const wrong of [{ clusterId: 'd' }, { epoch: 2 }, { nodeId: 'another' }])
    assert.equal(scan({ ...meant, ...wrong }), 'not_meant')
  send([], { membership: aMembership(store.nodeId, 2), epoch: 2 })
  turn()
  assert.equal(scan(meant), 'not_meant')
})

test('when the store fails, nothing of the turn is answered, nor anything after it', (t) => {
  const { handler, store, send, turn, join, failures } = aNode(t)
  join()
  send([accept('group/a', 1)])
  turn()
  store.close()
  send([read('group/a')])
  send([accept('group/b', 2)])
  assert.deepEqual(turn(), [])
  assert.equal(failures.length, 1)
  send([read('group/a')])
  assert.deepEqual(turn(), [])
  assert.equal(handler.flush(), false)
  assert.equal(handler.describe(), undefined)
  assert.equal(failures.length, 1)
})

const LARGE_BYTES = 1024 * 1024

function acceptLarge(key: string): KeyedRequest {
  const writeId = { proposerId: 7, sequence: 1 }
  const state = { generation: 1, writeId, lineage: [writeId], value: Buffer.alloc(LARGE_BYTES) }
  return { key, request: { kind: 'accept', ballot: FIRST, state, next: SECOND } }
}

test('a batch whose answers do not fit into a message is refused, and its records are loaded no further', (t) => {
  const { store, send, turn, join, refusals } = aNode(t)
  join()
  send([acceptLarge('group/a')])
  turn()
  let loads = 0
  t.mock.method(store, 'load', (key: string) => {
    loads += 1
    return SqliteStore.prototype.load.call(store, key)
  })
  const reads = (count: number) => Array.from({ length: count }, () => read('group/a'))
  send(reads(15))
  assert.equal(turn()[0]?.answers.length, 15)
  loads = 0
  send(reads(1_000))
  assert.deepEqual(turn(), [])
  assert.equal(refusals.length, 1)
  assert.match(refusals[0]!, /the answers to a batch of 1000 requests are too large for a message/)
  assert.equal(loads, 16)
})

test('a turn ends when its answers fill a message, and the next one handles the other batches in order', (t) => {
  const { send, turn, join } = aNode(t)
  join()
  send([acceptLarge('group/a'), acceptLarge('group/b')])
  turn()
  const reads = Array.from({ length: 9 }, () => read('group/a'))
  const batchIds = [1, 2, 3, 4].map((index) => {
    send(index === 4 ? [read('group/b')] : reads)
    return index
  })
  const turns = batchIds.map(turn).filter((answered) => answered.length > 0)
  assert.deepEqual(
    turns.map((answered) => answered.length),
    [2, 2],
  )
  const ids = turns.flat().map(({ batchId }) => batchId)
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => a - b),
  )
})

test('a failed assertion is as final as a failed disk', (t) => {
  const { send, turn, join, failures } = aNode(t)
  join()
  const { request } = accept('group/a', 1)
  assert.ok(request.kind === 'accept')
  send([{ key: 'group/a', request: { ...request, next: FIRST } }])
  assert.deepEqual(turn(), [])
  assert.equal(failures.length, 1)
  assert.match(String(failures[0]), /an accept prepares a ballot above its own/)
})
