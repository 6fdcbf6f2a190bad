import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChangesAnswer, ChangesRequest } from '../../../rpc/messages.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { CHANGES_LIMITS, ClusterChanges, type ClusterChangesOptions } from './cluster-changes.ts'

/** One node whose answers the test gives, and what was asked of it. */
function aWorld() {
  const clock = new ManualClock()
  const asked: ChangesRequest[] = []
  const timeoutsMs: number[] = []
  let settle: ((answer: ChangesAnswer | Error) => void) | undefined
  const changes = (request: ChangesRequest, timeoutMs: number) => {
    asked.push(request)
    timeoutsMs.push(timeoutMs)
    return new Promise<ChangesAnswer>((resolve, reject) => {
      settle = (answer) => (answer instanceof Error ? reject(answer) : resolve(answer))
    })
  }
  const recipient = { clusterId: 'c', epoch: 1, nodeId: 'n1' }
  const nodes = [{ nodeId: 'n1', recipient, transport: { changes }, link: {} }]
  const membership = { epoch: 1, members: [{ nodeId: 'n1', address: 'n1:1' }] }
  const cluster = { client: {}, membership, nodes } as unknown as ClusterChangesOptions['cluster']
  const told: string[] = []
  const listener = {
    onChange: () => void told.push('change'),
    onCovered: () => void told.push('covered'),
    onLost: () => void told.push('lost'),
  }
  const logger = { info: () => {}, warn: () => {} } as never
  const all = new ClusterChanges({ cluster, clock, logger, limits: CHANGES_LIMITS })
  const pass = async (ms: number) => {
    clock.advance(ms)
    for (let turn = 0; turn < 20; turn += 1) await undefined
  }
  const answer = (given: Partial<ChangesAnswer> | Error) => {
    const whole = {
      at: undefined,
      keys: [],
      begins: false,
      isTooEarly: false,
      hasMore: false,
      mismatch: undefined,
    }
    settle!(given instanceof Error ? given : { ...whole, ...given })
    return pass(0)
  }
  return { clock, asked, timeoutsMs, told, all, listener, pass, answer }
}

const AT = { life: 'l', number: 1 }

test('a node that does not answer is asked again after a tenth of a second, for as long as somebody follows', async () => {
  const { asked, all, listener, pass, answer, told, clock } = aWorld()
  const following = all.follow(listener)
  await pass(0)
  for (let count = 1; count <= 5; count += 1) {
    assert.equal(asked.length, count)
    await answer(new Error('it is away'))
    await pass(99)
    assert.equal(asked.length, count)
    await pass(1)
  }
  await answer({ at: AT, begins: true })
  assert.deepEqual([told, following.isCovered], [['covered'], true])
  // What has nothing to tell is asked again at once, and holds the question.
  assert.equal(asked.at(-1)!.waitMs, CHANGES_LIMITS.holdMs)
  following.close()
  const { length } = asked
  await answer({ at: AT })
  await pass(60_000)
  assert.deepEqual([asked.length, clock.taskCount], [length, 0])
})

test('a close in the middle of what nodes have told leaves no timer, and nothing is told any more', async () => {
  const { all, listener, pass, answer, told, clock } = aWorld()
  const following = all.follow(listener)
  await pass(0)
  await answer({ at: AT, begins: true })
  await answer({ at: { ...AT, number: 2 }, keys: ['group/a'] })
  assert.ok(clock.taskCount > 0)
  following.close()
  await pass(0)
  assert.equal(clock.taskCount, 0)
  await pass(60_000)
  assert.deepEqual(told, ['covered'])
  assert.equal(all.report.isFollowing, false)
})

test('a call may take a second and a half longer than the node holds it, and one that is too early waits', async () => {
  const { asked, timeoutsMs, all, listener, pass, answer } = aWorld()
  const following = all.follow(listener)
  await pass(0)
  await answer({ at: AT, begins: true })
  assert.deepEqual(timeoutsMs, [1_500, 2_000])
  // The node has not counted its records yet, or is not in the epoch.
  await answer({ at: AT, isTooEarly: true })
  await pass(499)
  assert.equal(asked.length, 2)
  await pass(1)
  assert.equal(asked.length, 3)
  following.close()
})
