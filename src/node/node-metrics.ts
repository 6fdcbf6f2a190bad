/** The metrics of a node. Each value is read from its source when the metrics are asked for. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metrics } from '../metrics/metrics.ts'
import type { ConnectionLimit } from '../process/connection-limit.ts'
import type { NodeCounters } from './counters.ts'
import type { Damages } from './damages.ts'
import type { PageScrub } from './page-scrub.ts'
import { STORE_FILE } from './store/data-directory.ts'
import type { RecordStore } from './store/record-store.ts'

export type NodeFigures = Readonly<{
  connections: Pick<ConnectionLimit, 'count' | 'refusedCount'>
  counters: NodeCounters
  damages: Damages
  pages: Pick<PageScrub, 'isDamaged'>
  store: Pick<RecordStore, 'inventory' | 'membership'>
  dataDir: string
}>

/** Adds them, all with the prefix `cohort_`. */
export function addNodeMetrics(
  metrics: Metrics,
  { connections, counters, damages, pages, store, dataDir }: NodeFigures,
): void {
  addStoreMetrics(metrics, store, dataDir)
  addMessageMetrics(metrics, counters)
  addDamageMetrics(metrics, damages)
  addConnectionMetrics(metrics, connections)
  metrics.gauge(
    {
      name: 'cohort_damaged_pages',
      help: "1 when the last check of the database's pages has found damage: replace the node. Else 0.",
    },
    () => [{ value: Number(pages.isDamaged) }],
  )
  metrics.histogram(
    {
      name: 'cohort_commit_duration_seconds',
      help: 'Time of the commit of transactions that wrote something: mostly the sync of the disk.',
    },
    () => [{ counts: counters.commitSeconds }],
  )
  metrics.counter(
    { name: 'cohort_store_errors_total', help: 'Failures of the store. The first one ends the node.' },
    () => [{ value: counters.storeErrors }],
  )
}

function addStoreMetrics(metrics: Metrics, store: NodeFigures['store'], dataDir: string): void {
  metrics.gauge({ name: 'cohort_records', help: 'Records that the node holds, of every kind.' }, () => [
    { value: store.inventory.counts.recordCount },
  ])
  metrics.gauge({ name: 'cohort_tombstones', help: 'Records of deleted groups.' }, () => [
    { value: store.inventory.counts.tombstoneCount },
  ])
  metrics.gauge({ name: 'cohort_stubs', help: 'Records of tombstones whose removal has begun.' }, () => [
    { value: store.inventory.counts.stubCount },
  ])
  metrics.gauge(
    { name: 'cohort_epoch', help: 'The epoch of the membership; missing while the node has none.' },
    () => (store.membership === undefined ? [] : [{ value: store.membership.epoch }]),
  )
  metrics.gauge(
    {
      name: 'cohort_database_bytes',
      help: 'Size of the database, and of its write-ahead log.',
      labels: ['file'],
    },
    async () => [
      { value: await sizeOf(join(dataDir, STORE_FILE)), labels: { file: 'db' } },
      { value: await sizeOf(join(dataDir, `${STORE_FILE}-wal`)), labels: { file: 'wal' } },
    ],
  )
}

function addDamageMetrics(metrics: Metrics, damages: Damages): void {
  metrics.gauge(
    { name: 'cohort_damaged_records', help: 'Records that the node knows to be damaged now.' },
    () => [{ value: damages.count }],
  )
  metrics.counter(
    {
      name: 'cohort_damages_total',
      help: 'Damaged records that the node has found. If it grows, the disk is dying.',
    },
    () => [{ value: damages.foundCount }],
  )
  metrics.counter(
    { name: 'cohort_healed_records_total', help: 'Damaged records that have healed from the other nodes.' },
    () => [{ value: damages.healedCount }],
  )
}

function addConnectionMetrics(metrics: Metrics, connections: NodeFigures['connections']): void {
  metrics.gauge(
    {
      name: 'cohort_connections',
      help: 'Open connections of connectors, of commands and of health checks.',
    },
    () => [{ value: connections.count }],
  )
  metrics.counter(
    { name: 'cohort_connections_refused_total', help: 'Connections closed because there are too many.' },
    () => [{ value: connections.refusedCount }],
  )
}

function addMessageMetrics(metrics: Metrics, counters: NodeCounters): void {
  metrics.counter(
    {
      name: 'cohort_messages_total',
      help: 'Messages about keys that were acted on, by kind and outcome.',
      labels: ['kind', 'outcome'],
    },
    () =>
      Object.entries(counters.messages).flatMap(([kind, { ok, refused, damaged }]) => [
        { value: ok, labels: { kind, outcome: 'ok' } },
        { value: refused, labels: { kind, outcome: 'refused' } },
        { value: damaged, labels: { kind, outcome: 'damaged' } },
      ]),
  )
  metrics.counter(
    {
      name: 'cohort_mismatched_batches_total',
      help: 'Batches for another node, cluster or epoch, which were not acted on.',
    },
    () => [{ value: counters.mismatchedBatches }],
  )
  metrics.histogram({ name: 'cohort_turn_batches', help: 'Batches that one transaction handled.' }, () => [
    { counts: counters.turnBatches },
  ])
  metrics.histogram({ name: 'cohort_turn_requests', help: 'Requests that one transaction handled.' }, () => [
    { counts: counters.turnRequests },
  ])
}

/** 0 for a file that does not exist: SQLite removes the log when no process has the database open. */
async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined)
  return found?.size ?? 0
}
