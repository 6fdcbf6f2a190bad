import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { knownChosen, knownNodes } from '../../register/known-chosen.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { isClassicQuorum, quorumsOf } from '../../register/quorum.ts'
import { findDivergences } from '../../replication/divergence.ts'
import { aRecord, aState, MemoryMember } from '../../testing/memory-member.ts'
import { repairKey, repairScanned } from './key-repair.ts'
import type { RepairTarget } from './repair-target.ts'

const KEY = 'group/a'

/** `held`: the record of each node; `undefined`: none. */
function aTarget(held: readonly (KeyRecord | undefined)[]) {
  const members = held.map(
    (record, index) => new MemoryMember(`n${index + 1}`, record === undefined ? [] : [[KEY, record]]),
  )
  let nowMs = 0
  let settledCount = 0
  const target: RepairTarget = {
    clusterId: 'c',
    epoch: 1,
    members,
    client: {
      judge: (records) => {
        const quorums = quorumsOf(members.length)
        const isQuorum = isClassicQuorum(knownNodes(records), quorums)
        return isQuorum ? { chosen: knownChosen(records, quorums) } : undefined
      },
      settle: async () => {
        settledCount += 1
        return { kind: 'decided', result: undefined }
      },
    },
  }
  const options = {
    clock: { nowMs: () => nowMs, after: () => assert.fail('not used'), defer: () => assert.fail('not used') },
    timeoutMs: () => 3_000,
    observe: findDivergences,
    random: () => 0,
  }
  return {
    members,
    repair: () => repairKey(target, KEY, options),
    /** `seen`: the records that the scans have shown, if the nodes hold others now. */
    repairScanned: (seen = held) =>
      repairScanned(target, { key: KEY, records: seen.map((record) => record ?? EMPTY_RECORD) }, options),
    held: () => members.map(({ records }) => records.get(KEY)),
    pass: (ms: number) => {
      nowMs += ms
    },
    get settledCount() {
      return settledCount
    },
  }
}

test('only a node that lacks the chosen state is given it', async () => {
  const target = aTarget([aRecord(2, [1, 2]), undefined, aRecord(2, [1, 2])])
  assert.equal(await target.repair(), 'learned')
  assert.deepEqual(target.held()[1], aRecord(2, [1, 2]))
  assert.deepEqual(
    target.members.map(({ asked }) => asked),
    [['read'], ['read', 'learn'], ['read']],
  )
})

test('a node that holds an older state, or one that lost at the same ballot, is given the chosen one', async () => {
  const target = aTarget([aRecord(2, [1, 2]), aRecord(1, [1]), aRecord(2, [1, 2]), aRecord(2, [1, 3], false)])
  assert.equal(await target.repair(), 'learned')
  for (const record of target.held()) assert.deepEqual(record?.state, aState([1, 2]))
})

test('equal nodes are left alone', async () => {
  const target = aTarget([aRecord(1, [1]), aRecord(1, [1], false), aRecord(1, [1])])
  assert.equal(await target.repair(), 'equal')
  assert.ok(target.members.every(({ asked }) => asked.length === 1))
})

test('a vote that may or may not be chosen is settled by a round, and by nothing else', async () => {
  const target = aTarget([aRecord(2, [1, 2], false), aRecord(1, [1]), aRecord(1, [1])])
  assert.equal(await target.repair(), 'settled')
  assert.equal(target.settledCount, 1)
  assert.ok(target.members.every(({ asked }) => !asked.includes('learn')))
})

test('a round reaches a stub that ignores the chosen state', async () => {
  const stub: KeyRecord = { ...EMPTY_RECORD, promised: { round: 5, proposerId: 0 }, isStub: true }
  const target = aTarget([aRecord(2, [1]), aRecord(2, [1]), stub])
  assert.equal(await target.repair(), 'settled')
  assert.equal(target.settledCount, 1)
})

test('a divergent key is not changed', async () => {
  const held = [aRecord(2, [1, 2]), aRecord(2, [1, 3]), undefined]
  const target = aTarget(held)
  assert.equal(await target.repair(), 'diverged')
  assert.deepEqual(target.held().slice(0, 2), held.slice(0, 2))
  assert.equal(target.settledCount, 0)
})

test('a node that comes to contradict the others while it is taught is not overruled', async () => {
  const target = aTarget([aRecord(2, [1, 2]), aRecord(1, [1]), aRecord(2, [1, 2])])
  const [, second] = target.members
  second!.onRequest = ({ kind }) => {
    if (kind === 'learn') second!.records.set(KEY, aRecord(2, [1, 3]))
  }
  assert.equal(await target.repair(), 'diverged')
  assert.deepEqual(target.held()[1], aRecord(2, [1, 3]))
  assert.equal(target.settledCount, 0)
})

test('a minority of answers decides nothing, and a record that was read too long ago is not passed on', async () => {
  const few = aTarget([aRecord(1, [1]), undefined, undefined])
  few.members[1]!.isLost = true
  few.members[2]!.isSuspect = true
  assert.equal(await few.repair(), 'failed')
  assert.equal(few.settledCount, 0)
  const late = aTarget([aRecord(1, [1]), aRecord(1, [1]), undefined])
  late.members[0]!.onRequest = () => late.pass(3_001)
  assert.equal(await late.repair(), 'failed')
  assert.equal(late.held()[2], EMPTY_RECORD)
})

test('a learn that is lost is a failure, so that the key is found again', async () => {
  const target = aTarget([aRecord(1, [1]), aRecord(1, [1]), undefined])
  target.members[2]!.onRequest = ({ kind }) => {
    target.members[2]!.isLost = kind === 'learn'
  }
  assert.equal(await target.repair(), 'failed')
})

test('a state that scans have shown to be chosen is read from one holder, and given to the nodes that lack it', async () => {
  const target = aTarget([aRecord(2, [1, 2]), undefined, aRecord(2, [1, 2])])
  assert.equal(await target.repairScanned(), 'learned')
  assert.deepEqual(
    target.members.map(({ asked }) => asked),
    [['read'], ['learn'], []],
  )
  assert.deepEqual(target.held()[1], aRecord(2, [1, 2]))
})

test('the value comes from the holder, never from a scan, which leaves it out', async () => {
  const target = aTarget([aRecord(1, [1]), undefined, aRecord(1, [1])])
  const { state, ...record } = aRecord(1, [1])
  const seen = { ...record, state: { ...state, value: undefined } }
  assert.equal(await target.repairScanned([seen, undefined, seen]), 'learned')
  assert.deepEqual(target.held()[1]?.state.value, state.value)
})

test('a key that has changed since the scan is read from all nodes', async () => {
  const target = aTarget([aRecord(3, [1, 2, 3]), undefined, aRecord(3, [1, 2, 3])])
  assert.equal(await target.repairScanned([aRecord(2, [1, 2]), undefined, aRecord(2, [1, 2])]), 'learned')
  assert.deepEqual(target.held()[1], aRecord(3, [1, 2, 3]))
})

test('scans that show no chosen state, or contradict each other, lead to no learn', async () => {
  const open = aTarget([aRecord(1, [1], false), undefined, undefined])
  assert.equal(await open.repairScanned(), 'settled')
  const diverged = aTarget([aRecord(2, [1, 2]), aRecord(2, [1, 3]), aRecord(2, [1, 2])])
  assert.equal(await diverged.repairScanned(), 'diverged')
  assert.deepEqual(diverged.held()[1], aRecord(2, [1, 3]))
})

test('a round reaches a stub that ignores the state that the scans have shown', async () => {
  const stub: KeyRecord = { ...EMPTY_RECORD, promised: { round: 5, proposerId: 0 }, isStub: true }
  const target = aTarget([aRecord(2, [1]), aRecord(2, [1]), stub])
  assert.equal(await target.repairScanned(), 'settled')
})
