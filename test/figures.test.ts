/**
 * Each metric shows the figure that its name and its help say, in the unit of its name. Every figure of these
 * tables is another number, so that no metric can show the figure of another one.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addChangesMetrics } from '../src/changes/changes-metrics.ts'
import { addEngineMetrics } from '../src/engines/cohort/engine-metrics.ts'
import { addPostgresMetrics } from '../src/engines/postgres/postgres-metrics.ts'
import { Admission } from '../src/http/admission/admission.ts'
import { RequestCounts } from '../src/http/count-requests.ts'
import { addRequestMetrics } from '../src/http/request-metrics.ts'
import { addLogMetrics } from '../src/metrics/log-metrics.ts'
import type { HistogramSample, MetricInfo, Metrics, Sample } from '../src/metrics/metrics.ts'
import { NodeCounters } from '../src/node/counters.ts'
import { addNodeMetrics } from '../src/node/node-metrics.ts'
import { Counters } from '../src/replication/counters.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'

type Read = () => readonly (Sample | HistogramSample)[] | Promise<readonly Sample[]>

/** What metrics show now: by name and labels, the value, or the count and the sum of a histogram. */
async function shown(add: (metrics: Metrics) => void): Promise<Record<string, number | string>> {
  const added: [MetricInfo, Read][] = []
  const note = (info: MetricInfo, read: Read) => void added.push([info, read])
  add({ counter: note, gauge: note, histogram: note } as unknown as Metrics)
  const figures: Record<string, number | string> = {}
  for (const [{ name }, read] of added) {
    for (const sample of await read()) {
      const labels = Object.values(sample.labels ?? {}).join(' ')
      const key = labels === '' ? name : `${name} ${labels}`
      figures[key] = 'counts' in sample ? `${sample.counts.count}: ${sample.counts.sum}` : sample.value
    }
  }
  return figures
}

test('the metrics of a connector with nodes', async () => {
  const counters = new Counters()
  Object.assign(counters.rounds, { fast: 1, led: 2, classic: 3, read: 4 })
  Object.assign(counters.refusedRounds, { fast: 5, led: 6, classic: 7, read: 8 })
  Object.assign(counters.operations, { decided: 9, not_applied: 10, unknown: 11 })
  Object.assign(counters.keyFaults, { exhausted: 12, unreadable: 13 })
  counters.backoffs = 14
  counters.batchSizes.observe(15)
  const histogram = new Counters().batchSizes
  histogram.observe(0.25)
  const link = { isReachable: true, isSuspect: false, roundTrips: { histogram } }
  const figures = await shown((metrics) =>
    addEngineMetrics(metrics, {
      counters,
      snapshot: () => ({ kind: 'found', epoch: 17, members: [{ nodeId: 'n', address: 'a', link }] }) as never,
      status: {
        describe: () => ({ verdict: 'degraded', members: [{ nodeId: 'n', address: 'a', lag: 18 }] }) as never,
      },
      divergences: { total: 19, open: Array(20) as never },
      repair: { outcomes: { learned: 100, settled: 21, failed: 1_000 } as never },
      removal: () => ({
        stubbedCount: 0,
        settledCount: 0,
        removedCount: 22,
        waitingCount: 23,
        oldestWaitingMs: 24_500,
      }),
      healing: () => ({ healedCount: 25, waitingCount: 26 }),
      memberSweep: () => ({ sweptCount: 27, waitingCount: 28 }) as never,
      changes: () => ({ readCount: 29 }),
    }),
  )
  assert.deepEqual(figures, {
    'cohort_rounds_total fast': 1,
    'cohort_rounds_total led': 2,
    'cohort_rounds_total classic': 3,
    'cohort_rounds_total read': 4,
    'cohort_rounds_refused_total fast': 5,
    'cohort_rounds_refused_total led': 6,
    'cohort_rounds_refused_total classic': 7,
    'cohort_rounds_refused_total read': 8,
    'cohort_operations_total decided': 9,
    'cohort_operations_total not_applied': 10,
    'cohort_operations_total unknown': 11,
    'cohort_key_faults_total exhausted': 12,
    'cohort_key_faults_total unreadable': 13,
    cohort_backoffs_total: 14,
    cohort_batch_requests: '1: 15',
    'cohort_node_round_trip_seconds n a': '1: 0.25',
    'cohort_node_reachable n a': 1,
    'cohort_node_suspect n a': 0,
    cohort_epoch: 17,
    'cohort_verdict healthy': 0,
    'cohort_verdict degraded': 1,
    'cohort_verdict unavailable': 0,
    'cohort_lag_keys n a': 18,
    cohort_divergence_total: 19,
    cohort_divergences_open: 20,
    cohort_repaired_keys_total: 121,
    cohort_removed_keys_total: 22,
    cohort_removal_waiting_keys: 23,
    cohort_removal_oldest_wait_seconds: 24.5,
    cohort_healed_keys_total: 25,
    cohort_healing_waiting_keys: 26,
    cohort_group_member_leftovers_removed_total: 27,
    cohort_group_member_leftovers_waiting: 28,
    cohort_changes_reads_total: 29,
  })
})

test('the metrics of a node', async () => {
  const counters = new NodeCounters()
  let next = 1
  for (const counts of Object.values(counters.messages)) {
    Object.assign(counts, { ok: next, refused: next + 1, damaged: next + 2 })
    next += 3
  }
  counters.mismatchedBatches = 22
  counters.turnBatches.observe(23)
  counters.turnRequests.observe(24)
  counters.committed(125)
  counters.storeErrors = 26
  const figures = await shown((metrics) =>
    addNodeMetrics(metrics, {
      connections: { count: 27, refusedCount: 28 },
      counters,
      damages: { count: 29, foundCount: 30, healedCount: 31 } as never,
      pages: { isDamaged: true },
      store: {
        inventory: { counts: { recordCount: 32, tombstoneCount: 33, stubCount: 34 } },
        membership: { epoch: 35 },
      } as never,
      dataDir: '/nowhere',
    }),
  )
  const messages = Object.entries(counters.messages).flatMap(([kind, counts]) =>
    Object.entries(counts).map(([outcome, value]) => [`cohort_messages_total ${kind} ${outcome}`, value]),
  )
  assert.deepEqual(figures, {
    ...Object.fromEntries(messages),
    cohort_records: 32,
    cohort_tombstones: 33,
    cohort_stubs: 34,
    cohort_epoch: 35,
    'cohort_database_bytes db': 0,
    'cohort_database_bytes wal': 0,
    cohort_mismatched_batches_total: 22,
    cohort_turn_batches: '1: 23',
    cohort_turn_requests: '1: 24',
    cohort_damaged_records: 29,
    cohort_damages_total: 30,
    cohort_healed_records_total: 31,
    cohort_connections: 27,
    cohort_connections_refused_total: 28,
    cohort_damaged_pages: 1,
    cohort_commit_duration_seconds: '1: 0.125',
    cohort_store_errors_total: 26,
  })
})

test('the metrics of a connector with Postgres, and of following changes', async () => {
  const report = { isFollowing: true, isCovered: true, lagMs: 1_500, changeCount: 2, lostCount: 3 }
  const figures = await shown((metrics) =>
    addPostgresMetrics(metrics, {
      sessions: { count: 4, brokenCount: 5 },
      store: { resolved: { applied: 6, not_applied: 7, unknown: 8 } } as never,
      changes: { report },
      sweep: { removedCount: 9 },
      durability: {
        view: {
          standbys: [
            { name: 's', replayLagMs: 2_500 },
            { name: 'new', replayLagMs: null },
          ],
        },
        whyNoWrites: () => undefined,
      } as never,
      status: { describe: () => ({ verdict: 'healthy' }) } as never,
    }),
  )
  const ofChanges = {
    cohort_changes_covered: 1,
    cohort_changes_lag_seconds: 1.5,
    cohort_changes_total: 2,
    cohort_changes_lost_total: 3,
  }
  assert.deepEqual(figures, {
    'cohort_verdict healthy': 1,
    'cohort_verdict degraded': 0,
    'cohort_verdict unavailable': 0,
    cohort_database_sessions: 4,
    cohort_database_sessions_broken_total: 5,
    'cohort_database_lost_answers_total applied': 6,
    'cohort_database_lost_answers_total not_applied': 7,
    'cohort_database_lost_answers_total unknown': 8,
    cohort_database_writable: 1,
    'cohort_database_standby_replay_lag_seconds s': 2.5,
    cohort_database_leftovers_removed_total: 9,
    ...ofChanges,
  })
  assert.deepEqual(await shown((metrics) => addChangesMetrics(metrics, () => report)), ofChanges)
  const unknown = { ...report, isFollowing: false, lagMs: undefined }
  assert.deepEqual(
    Object.keys(await shown((metrics) => addChangesMetrics(metrics, () => unknown))),
    ['cohort_changes_total', 'cohort_changes_lost_total'],
    'what is not known is missing',
  )
})

test('the metrics of the API and of the log', async () => {
  const clock = new ManualClock()
  const admission = new Admission({
    timeoutMs: 1_000,
    maxConnections: 10,
    ratePerSecond: 0,
    clock,
    logger: { warn: () => undefined, info: () => undefined } as never,
  })
  const gate = admission.gateOf('key')
  gate.waitedSeconds.observe(0.5)
  const counts = new RequestCounts()
  counts.inFlight = 3
  counts.unrouted.count(404)
  const figures = await shown((metrics) => {
    admission.addMetrics(metrics)
    addRequestMetrics(metrics, counts)
    addLogMetrics(metrics, { droppedCount: () => 5 })
  })
  admission.close()
  assert.deepEqual(
    Object.entries(figures).filter(([, value]) => value !== 0 && value !== '0: 0'),
    [
      ['cohort_http_wait_seconds key', '1: 0.5'],
      ['cohort_http_requests_total  none 404', 1],
      ['cohort_http_requests_in_flight', 3],
      ['cohort_log_lines_dropped_total', 5],
    ],
  )
})
