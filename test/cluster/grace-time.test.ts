/**
 * The grace time belongs to the cluster: connectors that disagreed about it would lose each other's writes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupRowCount } from './disk-contents.ts'
import { leaveNothing } from './leave-nothing.ts'
import { create, remove } from './load.ts'
import { LocalCluster, untilReady } from './local-cluster.ts'
import { freePorts } from './ports.ts'
import { ServiceHere } from './service-here.ts'
import { until } from './waiting.ts'

const GRACE_SECONDS = 3
/** Two grace times, the walks between them, and a machine that is busy with others. */
const REMOVAL_MS = 20_000
/** A tenth of the grace time, and a machine that is busy with others. */
const ANSWER_MS = 2_000

leaveNothing()

test('a connector with other times uses those with which the cluster was formed, and says so', async () => {
  await using cluster = await LocalCluster.start({
    timeoutSeconds: 0.3,
    graceSeconds: GRACE_SECONDS,
    processes: [],
  })
  const [port] = await freePorts(1)
  const hosts = cluster.nodes.map(({ address }) => address).join(',')
  const times = ['--timeout', '10', '--tombstone-grace', '3600']
  const args = ['connector', '--port', String(port), '--hosts', hosts, ...times]
  await using other = new ServiceHere('other', port!, args)
  other.start()
  await untilReady(other)
  // From here on only the other connector removes tombstones; by its own setting it would do so after an
  // hour.
  await cluster.connectors[0]!.end('SIGTERM')
  assert.equal((await create(other.url, 'short')).status, 201)
  assert.equal((await remove(other.url, 'short')).status, 200)
  await until('the tombstone is gone from every node', REMOVAL_MS, () =>
    cluster.nodes.every((_, index) => groupRowCount(cluster.dataDirectory(index)) === 0),
  )
  assert.match(other.output, /TOMBSTONE_GRACE counts only for a new cluster/)
  assert.match(other.output, /TIMEOUT is above a tenth of the grace time of this cluster/)
  // Too few nodes: the answer comes after a tenth of the grace time, and not after ten seconds.
  await Promise.all([0, 1].map((node) => cluster.nodes[node]!.end('SIGTERM')))
  const startMs = performance.now()
  assert.ok((await create(other.url, 'late')).status >= 503)
  assert.ok(performance.now() - startMs < ANSWER_MS)
})
