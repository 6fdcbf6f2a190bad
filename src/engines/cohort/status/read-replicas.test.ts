import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemberSnapshot } from '../../../membership/cluster-snapshot.ts'
import { wholeRecords } from '../../../register/damage.ts'
import type { Holding } from '../../../register/messages.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { settled } from '../../../testing/memory-cluster.ts'
import { aRecord, MemoryMember } from '../../../testing/memory-member.ts'
import { readReplicas } from './read-replicas.ts'

const DEADLINE = { deadlineMs: 1_000 }

function aMember(nodeId: string, send?: MemberSnapshot['link']['send']): MemberSnapshot {
  const member = new MemoryMember(nodeId, [['k', aRecord(1, [1])]])
  const link = { isReachable: true, isSuspect: false, send: send ?? member.send.bind(member) }
  return { nodeId, address: 'h:1', link: link as MemberSnapshot['link'], role: 'voting', progress: undefined }
}

function generationOf(record: Holding | undefined): number | undefined {
  return wholeRecords([record])[0]?.state.generation
}

test('the wait ends when all members have answered, and no timer is left', async () => {
  const clock = new ManualClock()
  const reads = await readReplicas([aMember('n1'), aMember('n2')], 'k', { clock, ...DEADLINE })
  assert.deepEqual(
    reads.map(({ nodeId, record }) => [nodeId, generationOf(record)]),
    [
      ['n1', 1],
      ['n2', 1],
    ],
  )
  assert.deepEqual([clock.nowMs(), clock.taskCount], [0, 0])
})

test('the wait for a silent member ends at the deadline; there is no wait for one that is not reached', async () => {
  const clock = new ManualClock()
  const members = [aMember('n1', () => true), aMember('n2', () => false), aMember('n3')]
  let isOver = false
  const reading = readReplicas(members, 'k', { clock, ...DEADLINE }).finally(() => {
    isOver = true
  })
  clock.advance(999)
  await settled()
  assert.ok(!isOver)
  clock.advance(1)
  const reads = await reading
  assert.deepEqual(
    reads.map(({ record }) => generationOf(record)),
    [undefined, undefined, 1],
  )
  assert.equal(clock.taskCount, 0)
})
