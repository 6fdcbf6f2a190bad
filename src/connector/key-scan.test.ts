import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import type { NodeTransport } from '../rpc/transport.ts'
import { compareKeys, nextKeys } from './key-scan.ts'

const RANGE = { start: 'group/', end: 'group0' }

/** A node that holds some keys and shows them in small pages; without keys it cannot be reached. */
function aNode(keys: readonly string[] | undefined, pageSize: number): NodeTransport {
  return {
    async *scan({ start, end }) {
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

async function allKeys(nodes: readonly NodeTransport[], quorum: number): Promise<string[]> {
  const keys: string[] = []
  let start: string | undefined = RANGE.start
  while (start !== undefined) {
    const page = await nextKeys(nodes, { ...RANGE, start }, quorum)
    assert.ok(page !== undefined)
    keys.push(...page.keys)
    start = page.nextStart
  }
  return keys
}

test('every key that any answering node holds comes once, in the order of its bytes', async () => {
  const key = fc.string({ unit: 'binary' }).map((id) => `group/${id}`)
  const holdings = fc.tuple(fc.array(key), fc.array(key), fc.array(key))
  await fc.assert(
    fc.asyncProperty(holdings, fc.integer({ min: 1, max: 4 }), async (held, pageSize) => {
      const unique = held.map((keys) => [...new Set(keys)])
      const nodes = unique.map((keys) => aNode(keys, pageSize))
      assert.deepEqual(await allKeys(nodes, 2), [...new Set(unique.flat())].sort(compareKeys))
    }),
  )
})

test('without a quorum of nodes there is no page', async () => {
  const nodes = [aNode(['group/a'], 1), aNode(undefined, 1), aNode(undefined, 1)]
  assert.equal(await nextKeys(nodes, RANGE, 2), undefined)
})
