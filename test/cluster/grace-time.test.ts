/**
 * The grace time belongs to the cluster: connectors that disagreed about it would lose each other's writes.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { create, remove } from './load.ts'
import { freePorts, LocalCluster, Service, until, untilReady } from './local-cluster.ts'

function groupRows(cluster: LocalCluster, node: number): number {
  const db = new DatabaseSync(join(cluster.dataDirectory(node), 'node.db'), { readOnly: true })
  try {
    return Number(db.prepare("SELECT COUNT(*) AS count FROM record WHERE key LIKE 'group/%'").get()?.count)
  } finally {
    db.close()
  }
}

test('a connector with other times works by those the cluster was born with, and says so', async () => {
  await using cluster = await LocalCluster.start({ timeoutSeconds: 0.5, graceSeconds: 5 })
  const [port] = await freePorts(1)
  const hosts = cluster.nodes.map(({ address }) => address).join(',')
  const times = ['--timeout', '10', '--tombstone-grace', '3600']
  const other = new Service('other', port!, ['connector', '--port', String(port), '--hosts', hosts, ...times])
  other.start()
  try {
    await untilReady(other)
    // From here on, what is removed is removed by the other one, after its own hour if it had its way.
    await cluster.connectors[0]!.end('SIGKILL')
    assert.equal((await create(other.url, 'short')).status, 201)
    assert.equal((await remove(other.url, 'short')).status, 200)
    await until('the tombstone is gone from every node', 60_000, () =>
      [0, 1, 2].every((node) => groupRows(cluster, node) === 0),
    )
    assert.match(other.output, /TOMBSTONE_GRACE is what a cluster is born with/)
    assert.match(other.output, /TIMEOUT is above a tenth of this cluster's grace time/)
    // Too few nodes: the answer comes after a tenth of the grace time, and not after ten seconds.
    await Promise.all([0, 1].map((node) => cluster.nodes[node]!.end('SIGKILL')))
    const startMs = performance.now()
    assert.ok((await create(other.url, 'late')).status >= 503)
    assert.ok(performance.now() - startMs < 5_000)
  } finally {
    await other.end('SIGKILL')
  }
})
