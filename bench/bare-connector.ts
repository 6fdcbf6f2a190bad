/**
 * The connector's own HTTP app, with all its options, hooks, validation and replies, with a registry that
 * does nothing. It shows what a request costs before it is replicated.
 */
import { pino } from 'pino'
import { CLUSTER_EXAMPLE } from '../src/api/status-examples.ts'
import type { Group } from '../src/group/group.ts'
import { showGroup } from '../src/group/group-codec.ts'
import type { Registry } from '../src/group/registry.ts'
import { Admission } from '../src/http/admission/admission.ts'
import { buildApp } from '../src/http/app.ts'
import { RequestCounts } from '../src/http/count-requests.ts'
import { Metrics } from '../src/metrics/metrics.ts'
import { systemClock } from '../src/process/clock.ts'

const time = new Date().toISOString()

/** Every read finds a group, and every create succeeds. */
const registry: Registry = {
  read: async (groupId) => {
    const group: Group = { groupId, version: 1, incarnation: 'bare', createdAt: time, updatedAt: time }
    return { kind: 'done', value: group }
  },
  show: async (groupId) => {
    const group: Group = { groupId, version: 1, incarnation: 'bare', createdAt: time, updatedAt: time }
    return { kind: 'done', value: showGroup(group) }
  },
  change: async (_groupId, command) => ({ kind: 'done', value: command(undefined) }),
  scan: async () => ({ kind: 'done', value: { groups: [], after: undefined } }),
}

const logger = pino({ level: 'silent' })
const app = buildApp({
  engine: {
    registry,
    readiness: { isReady: () => true },
    status: { describe: () => CLUSTER_EXAMPLE },
    addMetrics: () => {},
    run: async () => {},
    close: () => {},
  },
  metrics: new Metrics(),
  requestCounts: new RequestCounts(),
  nowMs: () => performance.now(),
  clock: { now: () => new Date() },
  newIncarnation: () => 'bare',
  retryAfterSeconds: 1,
  drainTimeoutMs: 10_000,
  admission: new Admission({ timeoutMs: 3_000, clock: systemClock, logger }),
  logger,
})
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
