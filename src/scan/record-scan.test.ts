import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import type { KeyRecord } from '../register/messages.ts'
import { countNodes } from '../register/quorum.ts'
import { compareKeys } from '../rpc/key-order.ts'
import type { NodeTransport } from '../rpc/transport.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { anyText } from '../testing/text-arbitraries.ts'
import { nextRecords, type RecordScanOptions, type ScanSource } from './record-scan.ts'

const RANGE = { start: 'group/', end: 'group0' }

type Scan = NodeTransport['scan']

/** A record of a node that can be told from those of other nodes. */
function recordOf(node: number): KeyRecord {
  return { ...EMPTY_RECORD, promised: { round: node + 1, proposerId: 1 } }
}

/** A node that holds some keys and sends them in small pages, each after this many turns. */
function holding(keys: readonly string[], { node = 0, pageSize = 2, turns = 0 } = {}): Scan {
  return async function* ({ start, end, limit = Number.POSITIVE_INFINITY }) {
    const held = keys
      .filter((key) => compareKeys(key, start) >= 0 && compareKeys(key, end) < 0)
      .sort(compareKeys)
      .slice(0, limit)
    for (let at = 0; at < held.length; at += pageSize) {
      for (let turn = 0; turn < turns; turn += 1) await null
      yield held.slice(at, at + pageSize).map((key) => ({ key, record: recordOf(node) }))
    }
  }
}

/** A node that takes a request and never answers. */
const stopped: Scan = async function* (_range, signal) {
  await new Promise((_, reject) => signal?.addEventListener('abort', reject))
  yield []
}

/** A node that cannot be reached. */
// biome-ignore lint/correctness/useYield: it ends before it has anything to yield
const lost: Scan = async function* () {
  throw new Error('unreachable')
}

function sourceOf(scan: Scan, index: number, isSuspect = false): ScanSource {
  return { transport: { scan }, recipient: { clusterId: 'c', epoch: 1, nodeId: `n${index}` }, isSuspect }
}

function asked(scans: readonly Scan[], quorum: number, options: Partial<RecordScanOptions> = {}) {
  return {
    ...RANGE,
    sources: scans.map((scan, index) => sourceOf(scan, index)),
    isQuorum: (nodes: number) => countNodes(nodes) >= quorum,
    limit: 3,
    clock: new ManualClock(),
    timeoutMs: 1_000,
    turn: 0,
    ...options,
  }
}

async function allKeys(options: RecordScanOptions): Promise<string[]> {
  const keys: string[] = []
  for (let start: string | undefined = RANGE.start; start !== undefined; ) {
    const page = await nextRecords({ ...options, start })
    assert.ok(page !== undefined)
    keys.push(...page.entries.map(({ key }) => key))
    start = page.nextStart
  }
  return keys
}

const key = anyText({ maxLength: 4 }).map((id) => `group/${id}`)
const holdings = fc.tuple(fc.uniqueArray(key), fc.uniqueArray(key), fc.uniqueArray(key))
const size = fc.integer({ min: 1, max: 4 })

test('every key that one of all nodes holds comes once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(holdings, size, size, async (held, pageSize, limit) => {
      const scans = held.map((keys, node) => holding(keys, { node, pageSize }))
      const expected = [...new Set(held.flat())].sort(compareKeys)
      assert.deepEqual(await allKeys(asked(scans, 3, { limit })), expected)
    }),
  )
})

test('every key of which any quorum must have a record comes, whichever quorum answers', async () => {
  const delays = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20))
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(key),
      holdings,
      fc.tuple(size, size, fc.nat(2)),
      delays,
      async (chosen, held, [pageSize, limit, turn], turns) => {
        // What is chosen is on two of three: here on the first two, or on the last two.
        const withChosen = held.map((keys, node) => {
          const part = chosen.filter((_, place) => node === 1 || place % 2 === (node === 0 ? 0 : 1))
          return [...new Set([...keys, ...part])]
        })
        const scans = withChosen.map((keys, node) => holding(keys, { node, pageSize, turns: turns[node]! }))
        const found = await allKeys(asked(scans, 2, { limit, turn }))
        assert.deepEqual(found, [...new Set(found)].sort(compareKeys))
        assert.ok(new Set(found).isSupersetOf(new Set(chosen)))
        assert.ok(new Set(found).isSubsetOf(new Set(withChosen.flat())))
      },
    ),
  )
})

test('each entry has what each asked node holds: an empty record where it has none, nothing of the others', async () => {
  const scans = [holding(['group/a', 'group/c'], { node: 0 }), holding(['group/b'], { node: 1 }), stopped]
  const page = await nextRecords(asked(scans, 2))
  assert.deepEqual(
    page?.entries.map(({ key: name, records }) => [name, records]),
    [
      ['group/a', [recordOf(0), EMPTY_RECORD, undefined]],
      ['group/b', [EMPTY_RECORD, recordOf(1), undefined]],
      ['group/c', [recordOf(0), EMPTY_RECORD, undefined]],
    ],
  )
})

test('no more nodes are asked than a quorum, one after the other begins, and suspects are asked last', async () => {
  const counts = [0, 0, 0]
  const scans = counts.map(
    (_, node): Scan =>
      async function* (range, signal) {
        counts[node]! += 1
        yield* holding(['group/a'], { node })(range, signal)
      },
  )
  for (let turn = 0; turn < 3; turn += 1) await nextRecords(asked(scans, 2, { turn }))
  assert.deepEqual(counts, [2, 2, 2])
  const sources = scans.map((scan, index) => sourceOf(scan, index, index === 1))
  for (let turn = 0; turn < 3; turn += 1) await nextRecords(asked(scans, 2, { turn, sources }))
  assert.deepEqual(counts, [5, 2, 5])
})

test('a node that fails is replaced by one that was not asked', async () => {
  const page = await nextRecords(asked([lost, holding(['group/a']), holding(['group/b'])], 2))
  assert.deepEqual(
    page?.entries.map((entry) => entry.key),
    ['group/a', 'group/b'],
  )
})

test('a slow node is replaced by another one after the hedge time, and its scan is ended', async () => {
  let isAborted = false
  const slow: Scan = (range, signal) => {
    signal?.addEventListener('abort', () => {
      isAborted = true
    })
    return stopped(range, signal)
  }
  const clock = new ManualClock()
  const page = nextRecords(asked([slow, holding(['group/a']), holding(['group/b'])], 2, { clock }))
  clock.advance(100)
  assert.deepEqual(
    (await page)?.entries.map((entry) => entry.key),
    ['group/a', 'group/b'],
  )
  assert.ok(isAborted)
})

test('with too few nodes a page fails: at once when nodes fail, and after its time when they do not answer', async () => {
  assert.equal(await nextRecords(asked([holding(['group/a']), lost, lost], 2)), undefined)
  const clock = new ManualClock()
  const page = nextRecords(asked([holding(['group/a']), stopped, stopped], 2, { clock }))
  clock.advance(1_000)
  assert.equal(await page, undefined)
})

test('a page that is given up ends at once, and its scans end', async () => {
  let abortedCount = 0
  const hanging: Scan = (range, signal) => {
    signal?.addEventListener('abort', () => {
      abortedCount += 1
    })
    return stopped(range, signal)
  }
  const abort = new AbortController()
  const page = nextRecords(asked([hanging, hanging], 2, { signal: abort.signal }))
  abort.abort()
  assert.equal(await page, undefined)
  assert.equal(abortedCount, 2)
  assert.equal(await nextRecords(asked([hanging, hanging], 2, { signal: abort.signal })), undefined)
})

test('a page ends where a node has sent so many bytes of values', async () => {
  const keys = Array.from({ length: 50 }, (_, index) => `group/${String(index).padStart(2, '0')}`)
  const value = new Uint8Array(1024 * 1024)
  let sent = 0
  const scan: Scan = async function* ({ start }) {
    for (const name of keys.filter((held) => held >= start)) {
      sent += 1
      const record = recordOf(0)
      yield [{ key: name, record: { ...record, state: { ...record.state, value } } }]
    }
  }
  const page = await nextRecords(asked([scan], 1, { limit: 1_000 }))
  assert.equal(page?.entries.length, 4)
  assert.equal(sent, 4)
  assert.deepEqual(await allKeys(asked([scan], 1, { limit: 1_000 })), keys)
})
