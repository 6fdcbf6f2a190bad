import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import {
  aClient,
  aCluster,
  pass,
  settled,
  TIMEOUT_MS,
  VIEW_AGE_MS,
  write,
} from '../testing/memory-cluster.ts'
import { LINK_LIMITS } from './links/link-limits.ts'

test('an operation that was stopped beyond its time ends before answers are handled, and sends nothing more', async () => {
  const { clock, nodes, client } = await aCluster()
  // Another connector was first: the refusals would lead to a prepare.
  for (const node of nodes) node.records.set('k', { ...EMPTY_RECORD, promised: { round: 9, proposerId: 3 } })
  for (const node of nodes) node.isManual = true
  const ended = write(client, 'k')
  clock.advance(0)
  assert.deepEqual(
    nodes.map(({ answers }) => answers.length),
    [1, 1, 1],
  )
  clock.skip(TIMEOUT_MS)
  for (const { answers } of nodes) for (const deliver of answers.splice(0)) deliver()
  assert.deepEqual(await ended, { kind: 'unknown' })
  clock.advance(LINK_LIMITS.hedgeMsMin)
  for (const { records } of nodes) assert.deepEqual(records.get('k')?.promised, { round: 9, proposerId: 3 })
})

test('a success that is found after the time is over is unknown, whatever the timers have done', async () => {
  const { clock, nodes, client } = await aCluster()
  for (const node of nodes) node.isManual = true
  const ended = write(client, 'k')
  clock.advance(0)
  clock.skip(TIMEOUT_MS + 1)
  for (const { answers } of nodes) for (const deliver of answers.splice(0)) deliver()
  assert.deepEqual(await ended, { kind: 'unknown' })
})

test('an operation that is in time is not ended by one that is not', async () => {
  const { clock, nodes, client } = await aCluster()
  for (const node of nodes) node.isManual = true
  const first = write(client, 'first')
  clock.advance(0)
  clock.skip(TIMEOUT_MS - 1)
  const second = write(client, 'second')
  clock.skip(1)
  for (const node of nodes) {
    node.isManual = false
    for (const deliver of node.answers.splice(0)) deliver()
  }
  assert.deepEqual(await first, { kind: 'unknown' })
  clock.advance(1)
  await settled()
  clock.advance(1)
  assert.deepEqual(await second, { kind: 'decided', result: 'written' })
})

/** The kind of the first request, marks aside, that a write of the key leads to. */
async function firstOfWrite({ clock, nodes, client }: Awaited<ReturnType<typeof aCluster>>): Promise<string> {
  for (const { kinds } of nodes) kinds.length = 0
  void write(client, 'k')
  clock.advance(0)
  await settled()
  const kind = nodes.flatMap(({ kinds }) => kinds).find((candidate) => candidate !== 'mark')
  return kind ?? assert.fail('nothing was sent')
}

/** The client has written the key, so it has a view. */
async function aWriter() {
  const cluster = await aCluster()
  const written = write(cluster.client, 'k')
  cluster.clock.advance(0)
  await written
  await settled()
  return cluster
}

test('a write rests on the view of the write before', async () => {
  assert.equal(await firstOfWrite(await aWriter()), 'accept')
})

test('a read that failed does not make the view younger: no write uses the view when it is too old', async () => {
  const cluster = await aWriter()
  const { clock, nodes, client } = cluster
  clock.advance(VIEW_AGE_MS - 1)
  await settled()
  for (const node of nodes) node.isManual = true
  const read = client.submit('k', () => ({ kind: 'keep', result: 'read' }))
  clock.advance(TIMEOUT_MS)
  assert.deepEqual(await read, { kind: 'not_applied' })
  for (const node of nodes) {
    node.isManual = false
    for (const deliver of node.answers.splice(0)) deliver()
  }
  assert.equal(await firstOfWrite(cluster), 'read')
})

test('no write uses a view from before a stream was lost: a process that was suspended has lost all its streams', async () => {
  const cluster = await aWriter()
  cluster.nodes[1]!.endStream()
  cluster.clock.advance(LINK_LIMITS.reopenMs)
  await settled()
  assert.equal(await firstOfWrite(cluster), 'read')
  for (let turn = 0; turn < 5; turn += 1) {
    cluster.clock.advance(0)
    await settled()
  }
  assert.equal(await firstOfWrite(cluster), 'accept')
})

test('a write without conflict takes one fast round; a refused fast round is followed by a classic one', async () => {
  const { clock, nodes, client, counters } = await aCluster()
  const first = write(client, 'k')
  clock.advance(0)
  await first
  assert.deepEqual(counters.rounds, { fast: 1, led: 0, classic: 0, read: 0 })
  for (const node of nodes) {
    node.records.set('other', { ...EMPTY_RECORD, promised: { round: 9, proposerId: 3 } })
  }
  const second = write(client, 'other')
  for (let turn = 0; turn < 8; turn += 1) {
    clock.advance(1)
    await settled()
  }
  assert.deepEqual(await second, { kind: 'decided', result: 'written' })
  assert.ok(counters.rounds.classic >= 1)
  assert.equal(counters.refusedRounds.fast, 1)
  assert.deepEqual(counters.operations, { decided: 2, not_applied: 0, unknown: 0 })
})

test('a round that several nodes refuse is counted once, as begun and as refused', async () => {
  const { clock, nodes, client, counters } = await aCluster()
  for (const node of nodes) node.records.set('k', { ...EMPTY_RECORD, promised: { round: 9, proposerId: 3 } })
  const written = write(client, 'k')
  await pass(clock, 50)
  assert.deepEqual(await written, { kind: 'decided', result: 'written' })
  assert.deepEqual(counters.rounds, { fast: 1, led: 0, classic: 1, read: 0 })
  assert.deepEqual(counters.refusedRounds, { fast: 1, led: 0, classic: 0, read: 0 })
})

test('a read whose nodes contradict each other says so, and changes neither', async () => {
  const { clock, nodes, client, divergent } = await aWriter()
  const read = () => {
    const ended = client.submit('k', () => ({ kind: 'keep', result: 'read' }))
    clock.advance(0)
    return ended
  }
  await read()
  await settled()
  assert.deepEqual(divergent, [])
  for (const [index, node] of nodes.entries()) {
    const record = node.records.get('k')!
    node.records.set('k', {
      ...record,
      chosen: true,
      state: { ...record.state, value: Uint8Array.of(index) },
    })
  }
  const before = nodes.map(({ records }) => records.get('k'))
  await read()
  await settled()
  assert.equal(divergent.length, 1)
  assert.match(divergent[0]!, /^k on n\d and n\d$/)
  assert.deepEqual(
    nodes.map(({ records }) => records.get('k')),
    before,
  )
})

test('what was sent in an older epoch happens once: its successor looks for it before it writes', async () => {
  const { clock, nodes, client } = await aCluster()
  for (const node of nodes) node.isManual = true
  const ended = write(client, 'k')
  clock.advance(0)
  // One node has voted; the others never get the message, and the answer is lost with the epoch.
  nodes[0]!.answers.splice(0)[0]!()
  const vote = nodes[0]!.records.get('k')?.state.writeId
  for (const node of nodes) {
    node.answers.splice(0)
    node.isManual = false
  }
  const successor = aClient(clock, nodes, 8)
  client.retire(successor)
  await pass(clock, 500)
  assert.deepEqual(await ended, { kind: 'decided', result: 'written' })
  for (const { records } of nodes) {
    assert.deepEqual(records.get('k')?.state.writeId, vote)
    assert.equal(records.get('k')?.state.generation, 1)
  }
})

test('what is submitted to a retired client is done by its successor, in the time that was left of what waited', async () => {
  const { clock, nodes, client } = await aCluster()
  for (const node of nodes) node.isManual = true
  const waiting = write(client, 'first')
  clock.advance(0)
  clock.advance(TIMEOUT_MS - 1)
  const successor = aClient(clock, nodes, 8)
  client.retire(successor)
  const late = write(client, 'second')
  clock.advance(1)
  assert.deepEqual(await waiting, { kind: 'unknown' })
  for (const node of nodes) {
    node.isManual = false
    for (const deliver of node.answers.splice(0)) deliver()
  }
  await pass(clock, 500)
  assert.deepEqual(await late, { kind: 'decided', result: 'written' })
  assert.equal(nodes[0]!.records.get('second')?.state.writeId.proposerId, 8)
})

test('`settle` runs a classic round, even if a read would have shown the state', async () => {
  const { clock, nodes, client } = await aCluster()
  const written = write(client, 'k')
  await pass(clock, 10)
  assert.equal((await written).kind, 'decided')
  const before = nodes[0]!.records.get('k')
  const settledOutcome = client.settle('k')
  await pass(clock, 10)
  assert.equal((await settledOutcome).kind, 'decided')
  for (const { records } of nodes) {
    assert.equal(records.get('k')?.accepted?.proposerId, 7)
    assert.deepEqual(records.get('k')?.state, before?.state)
  }
})
