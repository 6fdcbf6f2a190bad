import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Description } from '../../../rpc/messages.ts'
import { WireVersionError } from '../../../rpc/wire.ts'
import { NodePoll } from './node-poll.ts'

const HERE: Description = {
  nodeId: 'n1',
  membership: undefined,
  version: '0',
  recordCount: 0,
  tombstoneCount: 0,
  stubCount: 0,
  damagedCount: 0,
  healedCount: 0,
}

/** A poll for whose nodes the test answers; `tick` lets the pause between two rounds pass. */
function aPoll() {
  const asked: {
    address: string
    timeoutMs: number
    resolve: (description: Description) => void
    reject: (error?: Error) => void
  }[] = []
  let task: (() => void) | undefined
  const poll = new NodePoll({
    addresses: () => ['a', 'b'],
    describe: (address, timeoutMs) =>
      new Promise((resolve, reject) => {
        asked.push({ address, timeoutMs, resolve, reject: (error = new Error('silent')) => reject(error) })
      }),
    clock: {
      nowMs: () => 0,
      after: (delayMs, run) => {
        assert.equal(delayMs, 2_500)
        task = run
        return () => {
          task = undefined
        }
      },
      defer: () => assert.fail('not used'),
    },
    intervalMs: 2_500,
    timeoutMs: 700,
  })
  return { poll, asked, tick: () => task?.(), isWaiting: () => task !== undefined }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('the last report of a node is kept until the node does not answer once', async () => {
  const { poll, asked, tick } = aPoll()
  poll.start()
  assert.deepEqual(
    asked.map(({ address, timeoutMs }) => `${address} ${timeoutMs}`),
    ['a 700', 'b 700'],
  )
  assert.equal(poll.latest('a'), undefined)
  asked[0]!.resolve(HERE)
  asked[1]!.reject()
  await settled()
  assert.deepEqual([poll.latest('a'), poll.latest('b')], [HERE, undefined])
  tick()
  asked[2]!.reject()
  asked[3]!.resolve(HERE)
  await settled()
  assert.deepEqual([poll.latest('a'), poll.latest('b')], [undefined, HERE])
})

test('why the answer of a node could not be used is known until the node is silent, or answers', async () => {
  const { poll, asked, tick } = aPoll()
  poll.start()
  asked[0]!.reject(new WireVersionError('another version'))
  asked[1]!.reject(new WireVersionError('another version'))
  await settled()
  assert.deepEqual([poll.latest('a'), poll.problem('a')], [undefined, 'another version'])
  tick()
  asked[2]!.reject()
  asked[3]!.resolve(HERE)
  await settled()
  assert.deepEqual([poll.problem('a'), poll.problem('b')], [undefined, undefined])
})

test('no node is asked again before all have answered or run out of time', async () => {
  const { poll, asked, isWaiting } = aPoll()
  poll.start()
  asked[0]!.resolve(HERE)
  await settled()
  assert.equal(isWaiting(), false)
  asked[1]!.reject()
  await settled()
  assert.equal(isWaiting(), true)
})

test('a closed poll asks no node any more', async () => {
  const { poll, asked, isWaiting, tick } = aPoll()
  poll.start()
  poll.close()
  for (const { reject } of asked) reject()
  await settled()
  assert.equal(isWaiting(), false)
  tick()
  assert.equal(asked.length, 2)
})
