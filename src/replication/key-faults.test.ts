import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { PLAUSIBLE_ROUND_MAX, ROUND_MAX } from '../register/ballot.ts'
import type { KeyRecord } from '../register/messages.ts'
import { type Outcome, UnreadableValueError } from '../register/operation.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { aCluster, pass, write } from '../testing/memory-cluster.ts'
import { reportKeyFaults } from './key-faults.ts'
import { reportMalformedAnswers } from './malformed-answers.ts'

/** A cluster that remembers few keys, and notes which have a fault. */
async function aSmallCluster() {
  const faults: string[] = []
  let drawn = 100
  const cluster = await aCluster({
    viewCacheBytesMax: 3_000,
    drawProposerId: () => {
      drawn += 1
      return drawn
    },
    onKeyFault: (key, fault) => faults.push(`${key} ${fault}`),
  })
  return { ...cluster, faults, drawnCount: () => drawn - 100 }
}

function plant({ nodes }: Awaited<ReturnType<typeof aSmallCluster>>, key: string, round: number): void {
  const record: KeyRecord = { ...EMPTY_RECORD, promised: { round, proposerId: 3 } }
  for (const node of nodes) node.records.set(key, record)
}

async function outcomeOf<R>(
  { clock }: { clock: ManualClock },
  outcome: Promise<Outcome<R>>,
): Promise<Outcome<R>> {
  await pass(clock, 50)
  return outcome
}

for (const [what, round] of [
  ['the highest round number', ROUND_MAX],
  ['the last usable round number', ROUND_MAX - 1],
] as const) {
  test(`a key of which all nodes have promised ${what} fails alone and at once, and is said to`, async () => {
    const cluster = await aSmallCluster()
    const { client, nodes, faults } = cluster
    plant(cluster, 'bad', round)
    assert.deepEqual(await outcomeOf(cluster, write(client, 'bad')), {
      kind: 'not_applied',
      fault: 'exhausted',
    })
    assert.deepEqual(faults, ['bad exhausted'])
    // The bad key is forgotten, and with it what is known of its round numbers.
    for (let i = 0; i < 20; i += 1) {
      for (const node of nodes)
        node.records.set(`k${i}`, { ...EMPTY_RECORD, promised: { round: 9, proposerId: 3 } })
      const written = await outcomeOf(cluster, write(client, `k${i}`))
      assert.deepEqual(written, { kind: 'decided', result: 'written' })
      for (const { records } of nodes) assert.ok(records.get(`k${i}`)!.promised.round < 20)
    }
    assert.deepEqual(await outcomeOf(cluster, client.settle('bad')), {
      kind: 'not_applied',
      fault: 'exhausted',
    })
  })
}

test('a key with an implausible round number that can still be written does not give it to other keys', async () => {
  const cluster = await aSmallCluster()
  const { client, nodes, faults, drawnCount } = cluster
  for (let i = 0; i < 5; i += 1) {
    plant(cluster, `planted-${i}`, PLAUSIBLE_ROUND_MAX + 1_000)
    assert.equal((await outcomeOf(cluster, write(client, `planted-${i}`))).kind, 'decided')
    for (let j = 0; j < 5; j += 1) {
      const key = `other-${i}-${j}`
      for (const node of nodes)
        node.records.set(key, { ...EMPTY_RECORD, promised: { round: 9, proposerId: 3 } })
      assert.equal((await outcomeOf(cluster, write(client, key))).kind, 'decided')
      for (const { records } of nodes) assert.ok(records.get(key)!.promised.round < 40)
    }
  }
  assert.deepEqual(faults, [])
  assert.ok(
    drawnCount() > 1,
    'ballots of another proposer id: what was forgotten may have used those of the first',
  )
})

test('a classic ballot is used once, also when the key was forgotten in between', async () => {
  const cluster = await aSmallCluster()
  const { client, nodes, clock } = cluster
  const used: string[] = []
  for (let turn = 0; turn < 6; turn += 1) {
    plant(cluster, 'planted', PLAUSIBLE_ROUND_MAX + 1_000)
    const written = write(client, 'planted')
    await pass(clock, 50)
    assert.equal((await written).kind, 'decided')
    const { accepted } = nodes[0]!.records.get('planted')!
    used.push(`${accepted!.round} ${accepted!.proposerId}`)
    for (let i = 0; i < 10; i += 1) await outcomeOf(cluster, write(client, `other-${turn}-${i}`))
  }
  assert.equal(new Set(used).size, used.length)
})

test('a value that cannot be read ends its operations alone and at once, and nothing is written', async () => {
  const cluster = await aSmallCluster()
  const { client, nodes, faults, clock } = cluster
  assert.equal((await outcomeOf(cluster, write(client, 'bad'))).kind, 'decided')
  await pass(clock, 50)
  const before = nodes.map(({ records }) => records.get('bad'))
  const unreadable = () => {
    throw new UnreadableValueError('not what is stored here')
  }
  const fault = { kind: 'not_applied', fault: 'unreadable' }
  assert.deepEqual(await outcomeOf(cluster, client.read('bad', unreadable)), fault)
  assert.deepEqual(await outcomeOf(cluster, client.submit('bad', unreadable)), fault)
  assert.deepEqual(faults, ['bad unreadable', 'bad unreadable'])
  assert.deepEqual(
    nodes.map(({ records }) => records.get('bad')),
    before,
  )
  assert.equal((await outcomeOf(cluster, write(client, 'other'))).kind, 'decided')
  // In one batch with an operation that succeeds.
  const together = [client.submit('bad', unreadable), write(client, 'bad'), client.read('bad', unreadable)]
  await pass(clock, 50)
  assert.deepEqual((await Promise.all(together)).map(({ kind }) => kind).sort(), [
    'decided',
    'not_applied',
    'not_applied',
  ])
})

test('a bug in a decision is no fault of the key', async () => {
  const { client } = await aSmallCluster()
  await assert.rejects(
    client.submit('k', () => {
      throw new TypeError('a bug')
    }),
    /a bug/,
  )
})

test('faults of keys and malformed answers are logged at once, and then at most once a minute', () => {
  const clock = new ManualClock()
  const lines: object[] = []
  const log = (fields: object) => lines.push(fields)
  const logger = { error: log, warn: log } as unknown as Parameters<typeof reportKeyFaults>[0] &
    Parameters<typeof reportMalformedAnswers>[0]
  const reportFault = reportKeyFaults(logger, clock)
  const reportMalformed = reportMalformedAnswers(logger, clock)
  for (let i = 0; i < 3; i += 1) {
    reportFault('group/a', 'exhausted')
    reportMalformed('host:1', 'a reason')
  }
  reportFault('group/a', 'unreadable')
  clock.advance(60_000)
  reportFault('group/a', 'exhausted')
  assert.deepEqual(lines, [
    { key: 'group/a', fault: 'exhausted', leftOut: 0 },
    { address: 'host:1', reason: 'a reason', leftOut: 0 },
    { key: 'group/a', fault: 'unreadable', leftOut: 0 },
    { key: 'group/a', fault: 'exhausted', leftOut: 2 },
  ])
})
