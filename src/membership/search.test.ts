import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { Counters } from '../replication/counters.ts'
import type { Description, Membership } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { pass, settled } from '../testing/memory-cluster.ts'
import { NodeDirectory } from './node-directory.ts'
import { SHIPPED } from './seams.ts'
import { Search } from './search.ts'

const HOSTS = ['h:1', 'h:2', 'h:3']
const TIMEOUT_MS = 1_000

function aMembership(clusterId: string): Membership {
  const members = HOSTS.map((address) => ({ nodeId: `${clusterId}-${address}`, address }))
  return { clusterId, epoch: 1, members, tombstoneGraceMs: 3_600_000 }
}

/** A search among three hosts whose nodes report what the test sets, and answer no other message. */
function aSearch(clusterId?: string) {
  const clock = new ManualClock()
  const nodes = new Map<string, Membership | undefined>()
  const lines: string[] = []
  const closing = new AbortController()
  let streamCount = 0
  const open = new Set<object>()
  const connect = (address: string): NodeTransport => ({
    open: ({ onClose }) => {
      streamCount += 1
      const stream = {
        send: () => undefined,
        close: () => {
          if (open.delete(stream)) onClose('closed')
        },
      }
      open.add(stream)
      return stream
    },
    describe: async (): Promise<Description> => {
      if (!nodes.has(address)) throw new Error('nobody is there')
      const membership = nodes.get(address)
      const nodeId = `${membership?.clusterId ?? 'new'}-${address}`
      return {
        nodeId,
        membership,
        version: '1',
        recordCount: 0,
        tombstoneCount: 0,
        stubCount: 0,
        damagedCount: 0,
        healedCount: 0,
      }
    },
    digest: () => assert.fail('not used'),
    changes: () => assert.fail('not used'),
    scan: () => assert.fail('not used'),
    close: () => undefined,
  })
  const note = (_: object, text: string) => lines.push(text)
  const search = new Search({
    hosts: HOSTS,
    clusterId,
    tombstoneGraceMs: 3_600_000,
    drawId: () => 'born',
    drawSecret: () => '00c0ffee00c0ffee',
    signal: closing.signal,
    directory: new NodeDirectory(connect),
    operationTimeoutMs: TIMEOUT_MS,
    clock,
    random: () => 0.5,
    drawProposerId: () => 7,
    counters: new Counters(),
    logger: { debug: note, info: note, warn: note, error: note } as never,
    onKeyFault: () => assert.fail('no key is at fault'),
    onDamage: () => undefined,
    onDivergence: () => assert.fail('nobody contradicts'),
    seams: SHIPPED,
  })
  const are = (membership: Membership | undefined, hosts = HOSTS) => {
    nodes.clear()
    for (const host of hosts) nodes.set(host, membership)
  }
  return { search, clock, closing, are, lines, open, streamCount: () => streamCount }
}

test('empty nodes are asked to form a cluster, and if they do not all agree, the search says so', async () => {
  const { search, clock, closing, are, open, streamCount } = aSearch()
  are(undefined)
  const looking = search.look()
  await pass(clock, TIMEOUT_MS + 1)
  assert.equal(await looking, undefined)
  assert.deepEqual([open.size, clock.taskCount, getEventListeners(closing.signal, 'abort').length], [0, 0, 0])
  assert.ok(streamCount() >= HOSTS.length)
  assert.match(search.reason, /^not all of the new nodes at h:1, h:2, h:3 agreed in time/)
})

test('a connector that is closed while it asks its hosts forms no cluster', async () => {
  const { search, closing, are, lines, streamCount } = aSearch()
  are(undefined)
  const looking = search.look()
  closing.abort()
  assert.equal(await looking, undefined)
  assert.deepEqual([streamCount(), lines], [0, []])
})

test('a connector that has seen the data of a cluster at its hosts never forms a new one', async () => {
  const { search, are, lines, streamCount } = aSearch()
  are(aMembership('a'), ['h:1'])
  assert.equal(await search.look(), undefined)
  are(undefined)
  for (let look = 0; look < 3; look += 1) assert.equal(await search.look(), undefined)
  await settled()
  assert.equal(streamCount(), 0)
  const said = lines.filter((line) => /held data of the cluster a since this connector started/.test(line))
  assert.equal(said.length, 1, 'once, and not with every look')
  are(aMembership('a'))
  assert.equal((await search.look())?.clusterId, 'a')
})

test('a connector with CLUSTER_ID forms no cluster, and follows no other one', async () => {
  const { search, are, lines, streamCount } = aSearch('a')
  are(undefined)
  assert.equal(await search.look(), undefined)
  assert.match(search.reason, /are empty, and no new cluster is started/)
  are(aMembership('b'))
  assert.equal(await search.look(), undefined)
  assert.match(lines.at(-1)!, /^CLUSTER_ID is a, but the hosts hold the data of another cluster.*\.$/)
  assert.equal(streamCount(), 0)
  are(aMembership('a'))
  assert.equal((await search.look())?.clusterId, 'a')
})
