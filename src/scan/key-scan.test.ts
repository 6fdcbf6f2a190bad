import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { countNodes } from '../register/quorum.ts'
import type { NodeTransport } from '../rpc/transport.ts'
import { compareKeys } from './key-order.ts'
import { nextKeys } from './key-scan.ts'

const RANGE = { start: 'group/', end: 'group0' }
/** In these tests time stands still. */
const OPTIONS = { ...RANGE, clock: { after: () => () => {} }, timeoutMs: 1_000 }

/** A node that holds some keys and shows them in small pages, after so many turns; without keys it cannot be reached. */
function aNode(keys: readonly string[] | undefined, pageSize: number, turns = 0): NodeTransport {
  return {
    async *scan({ start, end }) {
      for (let turn = 0; turn < turns; turn += 1) await null
      if (keys === undefined) throw new Error('unreachable')
      const held = keys
        .filter((key) => compareKeys(key, start) >= 0 && compareKeys(key, end) < 0)
        .sort(compareKeys)
      for (let i = 0; i < held.length; i += pageSize) {
        yield held.slice(i, i + pageSize).map((key) => ({ key, record: EMPTY_RECORD }))
      }
    },
    open: () => assert.fail('not used'),
    describe: () => assert.fail('not used'),
    digest: () => assert.fail('not used'),
    close: () => {},
  }
}

function asked(nodes: readonly NodeTransport[], quorum: number) {
  const sources = nodes.map((transport, index) => ({
    transport,
    recipient: { clusterId: 'c', epoch: 1, nodeId: `n${index}` },
  }))
  return { sources, isQuorum: (set: number) => countNodes(set) >= quorum }
}

async function allKeys(nodes: readonly NodeTransport[], quorum: number): Promise<string[]> {
  const keys: string[] = []
  let start: string | undefined = RANGE.start
  while (start !== undefined) {
    const page = await nextKeys({ ...OPTIONS, start, ...asked(nodes, quorum) })
    assert.ok(page !== undefined)
    keys.push(...page.keys)
    start = page.nextStart
  }
  return keys
}

const key = fc.string({ unit: 'binary' }).map((id) => `group/${id}`)
const holdings = fc.tuple(fc.uniqueArray(key), fc.uniqueArray(key), fc.uniqueArray(key))
const pageSize = fc.integer({ min: 1, max: 4 })

test('of nodes that all must answer, every key that any holds comes once, in the order of its bytes', async () => {
  await fc.assert(
    fc.asyncProperty(holdings, pageSize, async (held, size) => {
      const nodes = held.map((keys) => aNode(keys, size))
      assert.deepEqual(await allKeys(nodes, 3), [...new Set(held.flat())].sort(compareKeys))
    }),
  )
})

test('whichever quorum is first, every key that a quorum holds comes once, in order', async () => {
  const delays = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20))
  await fc.assert(
    fc.asyncProperty(fc.array(key), holdings, pageSize, delays, async (common, held, size, turns) => {
      // What is chosen is on two of three, here on the first two or the last two.
      const chosen = [...new Set(common)]
      const withChosen = held.map((keys, index) => {
        const part = chosen.filter((_, place) => index === 1 || place % 2 === (index === 0 ? 0 : 1))
        return [...new Set([...keys, ...part])]
      })
      const nodes = withChosen.map((keys, index) => aNode(keys, size, turns[index]))
      const found = await allKeys(nodes, 2)
      assert.deepEqual(found, [...new Set(found)].sort(compareKeys))
      assert.ok(new Set(found).isSupersetOf(new Set(chosen)))
      assert.ok(new Set(found).isSubsetOf(new Set(withChosen.flat())))
    }),
  )
})

test('without a quorum of nodes there is no page', async () => {
  const nodes = [aNode(['group/a'], 1), aNode(undefined, 1), aNode(undefined, 1)]
  assert.equal(await nextKeys({ ...OPTIONS, ...asked(nodes, 2) }), undefined)
})

test('a node that has stopped is not waited for, and its scan is given up', async () => {
  const stopped = aStoppedNode()
  const nodes = [aNode(['group/a'], 1), stopped.node, aNode(['group/b'], 1)]
  const page = await nextKeys({ ...OPTIONS, ...asked(nodes, 2) })
  assert.deepEqual(page?.keys, ['group/a'])
  assert.equal(stopped.signal?.aborted, true)
})

test('when too many have stopped there is no page once the time is over', async () => {
  let onTimeout = () => {}
  const clock = {
    after: (delayMs: number, task: () => void) => {
      assert.equal(delayMs, 1_000)
      onTimeout = task
      return () => {}
    },
  }
  const nodes = [aNode(['group/a'], 1), aStoppedNode().node, aStoppedNode().node]
  const page = nextKeys({ ...OPTIONS, ...asked(nodes, 2), clock })
  onTimeout()
  assert.equal(await page, undefined)
})

/** A node that takes a request and never answers. */
function aStoppedNode() {
  const stopped: { signal: AbortSignal | undefined; node: NodeTransport } = {
    signal: undefined,
    node: {
      ...aNode([], 1),
      async *scan(_range, signal) {
        stopped.signal = signal
        await new Promise((_, reject) => signal?.addEventListener('abort', reject))
        yield []
      },
    },
  }
  return stopped
}
