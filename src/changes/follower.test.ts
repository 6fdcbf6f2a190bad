import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quorumsOf } from '../register/quorum.ts'
import { Follower } from './follower.ts'

const EPOCH = { epoch: 1, nodeIds: ['a', 'b', 'c'], quorums: quorumsOf(3) }
const COLLECT_MS = 20
const PATIENCE_MS = 1_000
const SILENCE_MS = 4_000

/** A follower whose three nodes have said where to begin. */
function aFollower() {
  const time = { nowMs: 0 }
  const follower = new Follower(EPOCH, {
    isWanted: (key) => key.startsWith('group/'),
    mustCount: (nodeIds) => nodeIds,
    collectMs: COLLECT_MS,
    patienceMs: PATIENCE_MS,
    silenceMsMax: SILENCE_MS,
  })
  const numbers = new Map<string, number>()
  const tell = (nodeId: string, keys: readonly string[], begins = false) => {
    const call = follower.call(nodeId, time.nowMs)
    const number = (numbers.get(nodeId) ?? 0) + keys.length
    numbers.set(nodeId, number)
    const rest = { isTooEarly: false, hasMore: false, mismatch: undefined }
    follower.answered(call, { at: { life: nodeId, number }, keys, begins, ...rest }, time.nowMs)
  }
  const reads = (limit = 10) => {
    time.nowMs += COLLECT_MS
    return follower.takeReads(limit, time.nowMs)
  }
  const tellNothing = () => {
    for (const nodeId of EPOCH.nodeIds) tell(nodeId, [])
  }
  for (const nodeId of EPOCH.nodeIds) tell(nodeId, [], true)
  reads()
  return { follower, time, tell, reads, tellNothing }
}

test('keys that are told within a short time are read together, each with all nodes that told it', () => {
  const { tell, reads } = aFollower()
  tell('a', ['group/x', 'cluster/claim'])
  tell('b', ['group/x', 'group/y'])
  assert.deepEqual(reads(), [
    { key: 'group/x', nodeIds: ['a', 'b'] },
    { key: 'group/y', nodeIds: ['b'] },
  ])
  assert.deepEqual(reads(), [])
})

test('a key that is told while it is read is read again', () => {
  const { follower, time, tell, reads } = aFollower()
  tell('a', ['group/x'])
  const [first] = reads()
  tell('b', ['group/x'])
  assert.deepEqual(reads(), [], 'there is one read of a key at a time')
  follower.wasRead(first!, ['a', 'b', 'c'], time.nowMs)
  assert.deepEqual(reads(), [{ key: 'group/x', nodeIds: ['b'] }])
})

test('the place moves on only when all keys before it are read', () => {
  const { follower, time, tell, reads } = aFollower()
  const numberOf = () => follower.place?.positions.get('a')?.number
  tell('a', ['group/x'])
  const [x] = reads()
  tell('a', ['group/y'])
  const [y] = reads()
  follower.wasRead(y!, ['a'], time.nowMs)
  assert.equal(numberOf(), 0)
  follower.wasRead(x!, ['a'], time.nowMs)
  assert.equal(numberOf(), 2)
})

test('a read that a teller does not count in is repeated; after a second the teller is dropped', () => {
  const { follower, time, tell, reads } = aFollower()
  tell('a', ['group/x'])
  const [first] = reads()
  follower.wasRead(first!, ['b', 'c'], time.nowMs)
  const [second] = reads()
  assert.deepEqual(second, { key: 'group/x', nodeIds: ['a'] })
  time.nowMs += PATIENCE_MS
  follower.wasRead(second!, ['b', 'c'], time.nowMs)
  assert.equal(follower.call('a', time.nowMs).from, undefined, 'it is asked where to begin')
  const [last] = reads()
  assert.deepEqual(last, { key: 'group/x', nodeIds: [] }, 'what was chosen before is read once more')
  follower.wasRead(last!, ['b', 'c'], time.nowMs)
  assert.equal(follower.pendingCount, 0)
  assert.ok(follower.isCovered)
  assert.ok(!follower.place!.positions.has('a'))
})

test('a read from before the past was given up changes nothing', () => {
  const { follower, time, tell, reads } = aFollower()
  tell('a', ['group/x'])
  const [old] = reads()
  follower.lose()
  for (const nodeId of EPOCH.nodeIds) tell(nodeId, ['group/x'], true)
  const [now] = reads()
  assert.ok(!follower.isCurrent(old!))
  follower.wasRead(old!, ['a', 'b', 'c'], time.nowMs)
  assert.equal(follower.pendingCount, 1)
  follower.wasRead(now!, ['a', 'b', 'c'], time.nowMs)
  assert.equal(follower.pendingCount, 0)
})

test('silence gives the past up at the second look, so that a process that was stopped gets one more chance', () => {
  const { follower, time, tellNothing } = aFollower()
  time.nowMs += SILENCE_MS + 1
  assert.ok(!follower.check(time.nowMs))
  tellNothing()
  assert.ok(!follower.check(time.nowMs))
  time.nowMs += SILENCE_MS + 1
  assert.ok(!follower.check(time.nowMs))
  assert.ok(follower.check(time.nowMs))
  assert.deepEqual([follower.isCovered, follower.lossCount, follower.place], [false, 1, undefined])
})

test('a key that cannot be read for too long gives the past up, although the nodes answer', () => {
  const { follower, time, tell, tellNothing, reads } = aFollower()
  tell('a', ['group/x'])
  const looks: boolean[] = []
  for (let count = 0; count < 12; count += 1) {
    for (const read of reads()) follower.failed(read)
    time.nowMs += 500
    tellNothing()
    looks.push(follower.check(time.nowMs))
  }
  assert.ok(looks.includes(true))
})
