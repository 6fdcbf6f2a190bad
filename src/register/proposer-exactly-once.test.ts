import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeText, ScriptedCluster } from '../../test/golden/scripted-cluster.ts'
import { type Ballot, compareBallots, formatBallot } from './ballot.ts'
import type { Outcome } from './operation.ts'

const NOT_APPLIED: Outcome = { kind: 'not_applied' }
const UNKNOWN: Outcome = { kind: 'unknown' }

function decided(result: string): Outcome {
  return { kind: 'decided', result }
}

function textOf(cluster: ScriptedCluster): string | undefined {
  return decodeText(cluster.records[0]?.state.value)
}

/** The accept reaches the nodes, and no answer comes back. */
function loseAnswers(cluster: ScriptedCluster): void {
  cluster.deliver({ kind: 'request' })
  cluster.drop({ kind: 'answer' })
}

// An attempt whose answers were lost ------------------------------------------------------------------------

test('a write whose answers were all lost is found in the lineage: success, once', () => {
  const cluster = new ScriptedCluster(3)
  const append = cluster.connector('ann', 11).append('a')
  loseAnswers(cluster)
  cluster.finish()
  assert.deepEqual(append.outcome, decided('a'))
  assert.equal(append.attempts.length, 1)
  assert.deepEqual([textOf(cluster), cluster.records[0]?.state.generation], ['a', 1])
})

test('a write whose accept never arrived is made again: success, once', () => {
  const cluster = new ScriptedCluster(3)
  const append = cluster.connector('ann', 11).append('a')
  cluster.drop({ kind: 'request' })
  cluster.finish()
  assert.deepEqual(append.outcome, decided('a'))
  assert.equal(append.attempts.length, 2)
  assert.equal(textOf(cluster), 'a')
})

test('a create whose answers were lost, and whose group was deleted since, is told that it was created', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const create = ann.create('a')
  cluster.deliver({ kind: 'request' })
  const bob = cluster.connector('bob', 22)
  bob.remove()
  cluster.settle({ connector: bob })
  assert.equal(textOf(cluster), undefined)
  cluster.drop({ connector: ann })
  cluster.finish()
  assert.deepEqual(create.outcome, decided('created'))
  assert.equal(textOf(cluster), undefined)
})

test('a write found in the refusals has happened, with the result of that attempt', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const append = ann.append('a')
  // Node 0 takes the write; the others have not seen it when Bob recovers it and goes on.
  cluster.deliver({ connector: ann, nodes: [0] })
  const bob = cluster.connector('bob', 22, { suspects: [2], roundNumberFloor: 1 })
  bob.append('b')
  cluster.roundTrip({ connector: bob, nodes: [0, 1], requests: ['prepare'] })
  cluster.settle({ connector: bob })
  cluster.deliver({ connector: ann, kind: 'request' })
  cluster.deliver({ connector: ann, kind: 'answer', nodes: [1, 2] })
  assert.deepEqual(append.outcome, decided('a'))
  assert.ok(ann.isIdle)
  assert.equal(textOf(cluster), 'ab')
})

test('several attempts, of which a late one still arrives: the write is made once', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const append = ann.append('a')
  cluster.roundTrip({ nodes: [0, 1], requests: ['prepare'] })
  // One node votes for the first attempt; the others' accepts stay on their way while the round starts again.
  cluster.deliver({ nodes: [0], requests: ['accept'] })
  const late = cluster.select({ nodes: [1, 2], requests: ['accept'] })
  cluster.drop({ kind: 'answer' })
  ann.lose(1, late[0]!.token)
  ann.resume()
  cluster.roundTrip({ nodes: [1, 2], requests: ['prepare'] })
  cluster.roundTrip({ nodes: [1, 2], requests: ['accept'] })
  for (const message of late) if (cluster.messages.includes(message)) cluster.deliverOne(message)
  cluster.finish()
  assert.deepEqual(append.outcome, decided('a'))
  assert.equal(append.attempts.length, 2)
  assert.deepEqual(
    cluster.records.slice(1).map(({ state }) => decodeText(state.value)),
    ['a', 'a'],
  )
})

/** Ann's write has happened or not, unknown to her; then Bob writes so many times, and she comes back. */
function afterForeignWrites(foreign: number, hasHappened: boolean) {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const append = ann.append('a')
  if (hasHappened) cluster.deliver({ kind: 'request' })
  const before = cluster.messages
  cluster.messages = []
  const bob = cluster.connector('bob', 22)
  for (let i = 0; i < foreign; i += 1) {
    bob.append('.')
    cluster.settle()
  }
  cluster.messages = before
  cluster.drop({ connector: ann })
  cluster.finish()
  return { outcome: append.outcome, text: textOf(cluster) }
}

test('fifteen foreign writes after an attempt, its connector still learns that it happened; sixteen are too many', () => {
  assert.deepEqual(afterForeignWrites(15, true), { outcome: decided('a'), text: `a${'.'.repeat(15)}` })
  assert.deepEqual(afterForeignWrites(16, true), { outcome: UNKNOWN, text: `a${'.'.repeat(16)}` })
})

test('sixteen generations after an attempt, its connector still knows that it did not happen; seventeen are too many', () => {
  // The attempt was for generation 1, which the first foreign write took.
  const text = `${'.'.repeat(16)}a`
  assert.deepEqual(afterForeignWrites(16, false), { outcome: decided(text), text })
  assert.deepEqual(afterForeignWrites(17, false), { outcome: UNKNOWN, text: '.'.repeat(17) })
})

// Time over -------------------------------------------------------------------------------------------------

test('time over while it waits: not applied, and never sent', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.append('a')
  const waiting = ann.append('b')
  ann.expire(waiting)
  cluster.settle()
  assert.deepEqual(waiting.outcome, NOT_APPLIED)
  assert.equal(textOf(cluster), 'a')
})

test('time over while its key is read: not applied', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const remove = ann.remove()
  ann.expire(remove)
  assert.deepEqual(remove.outcome, NOT_APPLIED)
  assert.ok(ann.isIdle)
})

test('time over while it prepares: not applied, and the late promises lead to nothing', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const append = ann.append('a')
  ann.expire(append)
  assert.deepEqual(append.outcome, NOT_APPLIED)
  cluster.settle()
  assert.ok(cluster.records.every(({ accepted }) => accepted === undefined))
})

test('time over once its accept was sent: unknown, whether it arrives or not', () => {
  for (const arrives of [true, false]) {
    const cluster = new ScriptedCluster(3)
    const ann = cluster.connector('ann', 11)
    const append = ann.append('a')
    ann.expire(append)
    assert.deepEqual(append.outcome, UNKNOWN)
    if (arrives) cluster.settle()
    else cluster.drop()
    const read = ann.read()
    cluster.finish()
    assert.deepEqual(read.outcome, decided(arrives ? 'a' : 'nothing'))
  }
})

test('time over in a second prepare, after an accept that was sent: unknown', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const append = ann.append('a')
  cluster.drop({ requests: ['accept'] })
  assert.equal(cluster.select({ requests: ['prepare'] }).length, 3)
  ann.expire(append)
  assert.deepEqual(append.outcome, UNKNOWN)
})

test('time over during a backoff: the end of the backoff does nothing', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const read = ann.read()
  cluster.drop()
  cluster.drop()
  assert.ok(ann.isBackingOff)
  ann.expire(read)
  assert.deepEqual(read.outcome, NOT_APPLIED)
  ann.resume()
  assert.deepEqual(cluster.messages, [])
})

test('time over for one of a batch: the others go on, and its change may be in their accept', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.append('a')
  const first = ann.append('b')
  const refused = ann.create('x')
  const last = ann.append('c')
  cluster.roundTrip()
  ann.expire(first)
  ann.expire(refused)
  assert.deepEqual([first.outcome, refused.outcome], [UNKNOWN, NOT_APPLIED])
  cluster.settle()
  assert.deepEqual(last.outcome, decided('abc'))
})

test('time over for an operation that has ended does nothing', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const append = ann.append('a')
  cluster.settle()
  ann.expire(append)
  assert.deepEqual(append.outcome, decided('a'))
})

test('when a round was given up, the waiting operation begins, and reads before it writes', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const first = ann.append('a')
  const second = ann.append('b')
  ann.expire(first)
  assert.equal(cluster.select({ requests: ['read'] }).length, 2)
  cluster.finish()
  assert.deepEqual(second.outcome, decided('ab'))
})

// Ballots ---------------------------------------------------------------------------------------------------

/** Every classic ballot at which the connector sent an accept, with the write it was sent for. */
function classicAccepts(cluster: ScriptedCluster, connector: string): Map<string, Set<string>> {
  const writes = new Map<string, Set<string>>()
  for (const event of cluster.events) {
    if (event.kind !== 'handled' && event.kind !== 'dropped') continue
    if (event.connector !== connector || event.request.kind !== 'accept') continue
    const { ballot, state } = event.request
    if (ballot.proposerId === 0) continue
    const known = writes.get(formatBallot(ballot)) ?? new Set()
    writes.set(formatBallot(ballot), known.add(JSON.stringify(state.writeId)))
  }
  return writes
}

function preparedBallots(cluster: ScriptedCluster): Ballot[] {
  return cluster.select({ requests: ['prepare'], nodes: [0] }).flatMap(({ request }) => {
    return request.kind === 'prepare' ? [request.ballot] : []
  })
}

test('the ballot of a round that was given up is not used again: the next round is above it', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const first = ann.append('a')
  cluster.roundTrip({ requests: ['prepare'] })
  ann.expire(first)
  ann.append('b')
  cluster.finish()
  const writes = classicAccepts(cluster, 'ann')
  assert.ok(writes.size >= 2)
  for (const [ballot, ids] of writes) assert.equal(ids.size, 1, ballot)
})

test('a led ballot whose accept was given up is never used for another write', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  ann.append('a')
  cluster.settle({ nodes: [0, 1] })
  const led = ann.append('b')
  ann.expire(led)
  cluster.drop({ requests: ['accept'], nodes: [0, 1] })
  ann.append('c')
  cluster.finish()
  for (const [ballot, ids] of classicAccepts(cluster, 'ann')) assert.equal(ids.size, 1, ballot)
  assert.equal(textOf(cluster), 'ac')
})

test('a proposer that takes up a memory prepares above every round of that memory', () => {
  const cluster = new ScriptedCluster(3)
  const first = cluster.connector('ann', 11, { suspects: [2] })
  const given = first.append('a')
  const [before] = preparedBallots(cluster)
  first.expire(given)
  const second = cluster.connector('ann', 11, { suspects: [2], memory: first.memory })
  second.append('b')
  cluster.finish()
  const rounds = cluster.events.flatMap((event) =>
    event.kind === 'handled' && event.request.kind === 'accept' ? [event.request.ballot] : [],
  )
  assert.ok(rounds.length > 0)
  for (const ballot of rounds) assert.ok(compareBallots(ballot, before!) > 0)
})

test('a proposer whose memory was forgotten prepares above the floor', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11, { suspects: [2], roundNumberFloor: 41 }).append('a')
  assert.deepEqual(preparedBallots(cluster), [{ round: 42, proposerId: 11 }])
})

test('the memory keeps a view that was read or written, and one round trip is enough for the next proposer', () => {
  const cluster = new ScriptedCluster(3)
  const first = cluster.connector('ann', 11)
  first.append('a')
  cluster.settle()
  const second = cluster.connector('ann', 11, { memory: first.memory })
  const append = second.append('b')
  cluster.roundTrip()
  assert.deepEqual(append.outcome, decided('ab'))
})
