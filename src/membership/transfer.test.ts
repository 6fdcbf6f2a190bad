import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Logger } from 'pino'
import type { Outcome } from '../register/operation.ts'
import type { RegisterClient } from '../replication/register-client.ts'
import { MEMBERSHIP_KEY } from '../rpc/membership.ts'
import type { Membership, ScanEntry } from '../rpc/messages.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { pass, settled } from '../testing/memory-cluster.ts'
import { aRecord } from '../testing/memory-member.ts'
import type { EpochNode } from './epoch-node.ts'
import { SHIPPED } from './seams.ts'
import { type TransferOptions, transfer } from './transfer.ts'
import { TransferDriver } from './transfer-driver.ts'

const THREE = ['n1', 'n2', 'n3'].map((nodeId) => ({ nodeId, address: `${nodeId}:1` }))
/** No node joins, so that a key needs only a round. */
const JOINT: Membership = {
  clusterId: 'c',
  epoch: 2,
  members: THREE,
  outgoing: [...THREE, { nodeId: 'n4', address: 'n4:1' }],
  tombstoneGraceMs: 3_600_000,
}
const NODE_COUNT = 4
const DECIDED: Outcome<undefined> = { kind: 'decided', result: undefined }
const UNKNOWN: Outcome<never> = { kind: 'unknown' }

/** Nodes that list these keys. Their scans are counted. */
function someNodes(keys: readonly string[]) {
  const open = { scans: 0 }
  const scan = async function* (): AsyncGenerator<readonly ScanEntry[]> {
    open.scans += 1
    try {
      for (const key of keys) yield [{ key, record: aRecord(1, [1]) }]
    } finally {
      open.scans -= 1
    }
  }
  const node = { link: { isReachable: true }, transport: { scan }, recipient: {} }
  return { nodes: Array.from({ length: NODE_COUNT }, () => node as unknown as EpochNode), open }
}

function aTransfer(keys: readonly string[], settle: (key: string) => Promise<Outcome<undefined>>) {
  const clock = new ManualClock()
  const { nodes, open } = someNodes(keys)
  const controller = new AbortController()
  const done: number[] = []
  const options: TransferOptions = {
    membership: JOINT,
    client: { settle },
    nodes,
    rules: SHIPPED.membership,
    clock,
    signal: controller.signal,
    onKeyDone: () => done.push(clock.nowMs()),
  }
  let result: boolean | undefined
  void transfer(options).then((isDone) => {
    result = isDone
  })
  return { clock, open, controller, doneCount: () => done.length, result: () => result }
}

test('a transfer ends when the round of its last key has ended, and not before', async () => {
  const rounds = new Map<string, (outcome: Outcome<undefined>) => void>()
  const settle = (key: string) => new Promise<Outcome<undefined>>((resolve) => void rounds.set(key, resolve))
  const { clock, open, doneCount, result } = aTransfer(['a', 'b', 'c'], settle)
  await pass(clock, 5)
  assert.deepEqual([[...rounds.keys()].join(''), open.scans], ['abc', 0], 'all keys are listed')
  for (const [index, key] of ['b', 'a', 'c'].entries()) {
    assert.deepEqual([doneCount(), result()], [index, undefined])
    rounds.get(key)!(DECIDED)
    await pass(clock, 1)
  }
  assert.deepEqual([doneCount(), result(), clock.taskCount], [3, true, 0])
})

test('a key whose round was not decided is tried again, and nothing ends without it', async () => {
  let failures = 3
  const settle = async (key: string) => {
    if (key !== 'b' || failures === 0) return DECIDED
    failures -= 1
    return UNKNOWN
  }
  const { clock, doneCount, result } = aTransfer(['a', 'b', 'c'], settle)
  await pass(clock, 1_400)
  assert.deepEqual([doneCount(), result()], [2, undefined])
  await pass(clock, 200)
  assert.deepEqual([doneCount(), result(), clock.taskCount], [3, true, 0])
})

test('a transfer that is aborted begins nothing more, ends, and leaves no scan and no timer', async () => {
  const { clock, open, controller, result } = aTransfer(['a', 'b', 'c'], async () => UNKNOWN)
  await pass(clock, 100)
  controller.abort()
  await pass(clock, 1)
  assert.deepEqual([result(), open.scans, clock.taskCount], [false, 0, 0])
})

test('however many keys there are, 128 are worked on at once, and the next begins when one has ended', async () => {
  const rounds: ((outcome: Outcome<undefined>) => void)[] = []
  const settle = () => new Promise<Outcome<undefined>>((resolve) => void rounds.push(resolve))
  const keys = Array.from({ length: 300 }, (_, number) => `k${1_000 + number}`)
  const { clock, result } = aTransfer(keys, settle)
  await pass(clock, 5)
  assert.equal(rounds.length, 128)
  rounds[7]!(DECIDED)
  await pass(clock, 1)
  assert.equal(rounds.length, 129)
  for (let at = 0; at < rounds.length; at += 1) {
    rounds[at]!(DECIDED)
    await settled()
  }
  await pass(clock, 1)
  assert.deepEqual([rounds.length, result()], [300, true])
})

/** A driver whose changes of the membership end like this, the last one again and again. */
function aDriver(...outcomes: readonly ('decided' | 'unknown')[]) {
  const clock = new ManualClock()
  const { nodes } = someNodes(['a'])
  const finished: Membership[] = []
  let changeCount = 0
  let claim: Uint8Array | undefined
  let claimCount = 0
  const submit: RegisterClient['submit'] = async (key, decide) => {
    if (key !== MEMBERSHIP_KEY) claimCount += 1
    const value = key === MEMBERSHIP_KEY ? undefined : claim
    const decision = decide(value)
    assert.ok(decision.kind !== 'unreadable')
    if (key !== MEMBERSHIP_KEY) {
      if (decision.kind === 'propose') claim = decision.value
      return { kind: 'decided', result: decision.result }
    }
    const outcome = outcomes[Math.min(changeCount, outcomes.length - 1)]
    changeCount += 1
    return outcome === 'decided' ? { kind: 'decided', result: decision.result } : UNKNOWN
  }
  let settleCount = 0
  let round = DECIDED as Outcome<undefined>
  const settle = async () => {
    settleCount += 1
    return round
  }
  const client = { submit, settle } as unknown as RegisterClient
  const driver: TransferDriver = new TransferDriver({
    membership: JOINT,
    client,
    nodes,
    rules: SHIPPED.membership,
    clock,
    owner: 'me',
    isEager: true,
    countKeys: async () => 1,
    onFinished: (membership) => {
      finished.push(membership)
      // The epoch is over.
      driver.close()
    },
    logger: { info: () => undefined } as unknown as Logger,
  })
  return {
    driver,
    clock,
    finished,
    changeCount: () => changeCount,
    claimCount: () => claimCount,
    settleCount: () => settleCount,
    /** No round is decided from now on, so that the transfer goes on. */
    decideNothing: () => {
      round = UNKNOWN
    },
    /** Another connector takes the transfer over. */
    takeOver: () => {
      claim = Buffer.from(JSON.stringify({ epoch: JOINT.epoch, owner: 'other', beat: 99, done: 5, total: 9 }))
    },
  }
}

test('the end of a change that was not decided is tried again, until it is', async () => {
  const { driver, clock, finished, changeCount } = aDriver('unknown', 'unknown', 'decided')
  await pass(clock, 1_500)
  assert.deepEqual([changeCount() >= 2, finished.length], [true, 0])
  await pass(clock, 3_000)
  assert.deepEqual(
    finished.map(({ epoch, outgoing }) => [epoch, outgoing]),
    [[3, undefined]],
  )
  driver.close()
  await settled()
  assert.equal(clock.taskCount, 0)
})

test('a driver that is closed begins nothing more, and leaves no timer', async () => {
  const { driver, clock, finished, changeCount } = aDriver('unknown')
  await pass(clock, 1_500)
  driver.close()
  await settled()
  const before = changeCount()
  await pass(clock, 10_000)
  assert.deepEqual([changeCount() - before, finished.length, clock.taskCount], [0, 0, 0])
})

test('a driver looks at the claim once a second, and stops its work when another connector has taken it', async () => {
  const { driver, clock, changeCount, claimCount, takeOver } = aDriver('unknown')
  await pass(clock, 5_500)
  assert.ok(claimCount() >= 5 && claimCount() <= 6, `${claimCount()} looks`)
  assert.ok(changeCount() > 0)
  takeOver()
  await pass(clock, 1_500)
  const before = changeCount()
  await pass(clock, 3_000)
  assert.equal(changeCount(), before, 'it works no more')
  assert.deepEqual(
    [driver.progress?.done, driver.progress?.total],
    [5, 9],
    'the other one shows how far it is',
  )
  driver.close()
  await settled()
  assert.equal(clock.taskCount, 0)
})

for (const [what, end] of [
  ['a driver that is closed', ({ driver }) => driver.close()],
  ['a driver whose claim was taken over', ({ takeOver }) => takeOver()],
] as readonly (readonly [string, (it: ReturnType<typeof aDriver>) => void])[]) {
  test(`${what} gives up the transfer in the middle of it`, async () => {
    const it = aDriver('unknown')
    it.decideNothing()
    await pass(it.clock, 3_000)
    assert.ok(it.settleCount() >= 4, `${it.settleCount()} rounds`)
    end(it)
    await pass(it.clock, 1_100)
    const before = it.settleCount()
    await pass(it.clock, 3_000)
    assert.equal(it.settleCount(), before)
    it.driver.close()
    await settled()
    assert.equal(it.clock.taskCount, 0)
  })
}
