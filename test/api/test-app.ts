import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { CLUSTER_EXAMPLE, REPLICAS_EXAMPLE } from '../../src/api/status-examples.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { Admission } from '../../src/http/admission/admission.ts'
import { buildApp } from '../../src/http/app.ts'
import { RequestCounts } from '../../src/http/count-requests.ts'
import type { Dependencies } from '../../src/http/dependencies.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { systemClock } from '../../src/process/clock.ts'
import { MemoryGroupMembers } from './memory-group-members.ts'
import { MemoryKeyStore } from './memory-key-store.ts'
import { MemoryRegistry } from './memory-registry.ts'
import { ScriptedChanges } from './scripted-changes.ts'
import { ScriptedMembers } from './scripted-members.ts'

export type TestApp = Readonly<{
  app: FastifyInstance
  registry: MemoryRegistry
  groupMembers: MemoryGroupMembers
  keys: MemoryKeyStore
  changes: ScriptedChanges
  /** What was logged, one line of JSON each. */
  logged: string[]
}>

type OptionalPart = 'groupMembers' | 'replicas' | 'members' | 'keys' | 'changes'

type Overrides = Partial<Omit<Dependencies, 'engine'>> &
  Readonly<{
    engine?: Partial<Engine>
    /** The parts that the engine does not have. */
    without?: readonly OptionalPart[]
  }>

/**
 * The real app with an engine in memory, of which a test may replace parts. The time is always 2026-01-01;
 * incarnations are `i1`, `i2`, …
 */
export function testApp({ engine: parts = {}, without = [], ...overrides }: Overrides = {}): TestApp {
  const registry = parts.registry instanceof MemoryRegistry ? parts.registry : new MemoryRegistry()
  const groupMembers = new MemoryGroupMembers(registry)
  const keys = new MemoryKeyStore()
  const changes = new ScriptedChanges()
  const logged: string[] = []
  let count = 0
  const engine: { -readonly [part in keyof Engine]: Engine[part] } = {
    registry,
    readiness: { isReady: () => true },
    status: { describe: () => CLUSTER_EXAMPLE },
    replicas: { describe: async (groupId) => ({ ...REPLICAS_EXAMPLE, groupId }) },
    members: new ScriptedMembers(),
    groupMembers,
    keys,
    changes,
    addMetrics: () => {},
    run: async () => {},
    close: () => {},
    ...parts,
  }
  for (const part of without) delete engine[part]
  const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) })
  const app = buildApp({
    engine,
    metrics: new Metrics(),
    requestCounts: new RequestCounts(),
    nowMs: () => performance.now(),
    clock: { now: () => new Date('2026-01-01T00:00:00.000Z') },
    newIncarnation: () => `i${++count}`,
    admission: new Admission({ timeoutMs: 3_000, clock: systemClock, logger }),
    logger,
    retryAfterSeconds: 1,
    drainGraceMs: 0,
    drainTimeoutMs: 5_000,
    ...overrides,
  })
  return { app, registry, groupMembers, keys, changes, logged }
}
