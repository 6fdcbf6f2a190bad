/** A node of another cluster. */
import assert from 'node:assert/strict'
import { pino } from 'pino'
import { CohortEngine } from '../../src/engines/cohort/cohort-engine.ts'
import { createGroup } from '../../src/group/create-group.ts'
import { systemClock } from '../../src/process/clock.ts'
import { connectGrpc } from '../../src/rpc/grpc-transport.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import { LocalCluster } from './local-cluster.ts'
import { until } from './waiting.ts'

const READY_MS = 30_000

/**
 * Starts a cluster of one node without a connector, which has one group. An engine in this process has formed
 * it: the process of a connector would cost more than the node.
 */
export async function foreignNode(groupId: string): Promise<LocalCluster> {
  const cluster = await LocalCluster.start({ nodes: 1, connectors: 0, processes: [] })
  const engine = new CohortEngine({
    hosts: [cluster.nodes[0]!.address],
    timeoutMs: 3_000,
    tombstoneGraceMs: 3_600_000,
    replaceAfterMs: 600_000,
    clusterId: undefined,
    connect: connectGrpc,
    clock: systemClock,
    random: Math.random,
    logger: pino({ level: 'silent' }),
  })
  const running = engine.run()
  try {
    await until('the foreign cluster is there', READY_MS, () => engine.readiness.isReady())
    const command = createGroup({
      groupId,
      now: '2026-01-01T00:00:00.000Z',
      author: AUTHOR,
      incarnation: 'i',
    })
    const { kind } = await engine.registry.change(groupId, command)
    assert.equal(kind, 'done')
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  } finally {
    engine.close()
    await running
  }
}
