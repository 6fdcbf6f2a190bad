/** The metrics of this engine. */
import { addChangesMetrics } from '../../changes/changes-metrics.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import type { StatusView } from '../engine.ts'
import type { Durability } from './durability.ts'
import type { PostgresChanges } from './postgres-changes.ts'
import type { RowStore } from './row-store.ts'
import type { Sessions } from './sessions.ts'
import type { Sweep } from './sweep.ts'

export type PostgresFigures = Readonly<{
  sessions: Pick<Sessions, 'count' | 'brokenCount'>
  store: Pick<RowStore, 'resolved'>
  changes: Pick<PostgresChanges, 'report'>
  sweep: Pick<Sweep, 'removedCount'>
  durability: Pick<Durability, 'view' | 'whyNoWrites'>
  status: StatusView
}>

const VERDICTS = ['healthy', 'degraded', 'unavailable'] as const

/** Adds the metrics of this engine. Their names begin with `cohort_`. */
export function addPostgresMetrics(metrics: Metrics, figures: PostgresFigures): void {
  const { sessions, store, durability, status, changes, sweep } = figures
  metrics.gauge(
    { name: 'cohort_verdict', help: '1 for the verdict of the status.', labels: ['verdict'] },
    () => {
      const { verdict } = status.describe()
      return VERDICTS.map((name) => ({ value: name === verdict ? 1 : 0, labels: { verdict: name } }))
    },
  )
  metrics.gauge(
    { name: 'cohort_database_sessions', help: 'Sessions that this connector has with the primary.' },
    () => [{ value: sessions.count }],
  )
  metrics.counter(
    { name: 'cohort_database_sessions_broken_total', help: 'Sessions that have ended unexpectedly.' },
    () => [{ value: sessions.brokenCount }],
  )
  metrics.counter(
    {
      name: 'cohort_database_lost_answers_total',
      help: 'Changes whose answer was lost, by what was found out about them.',
      labels: ['outcome'],
    },
    () => Object.entries(store.resolved).map(([outcome, value]) => ({ value, labels: { outcome } })),
  )
  metrics.gauge(
    { name: 'cohort_database_writable', help: '1 while changes are acknowledged, else 0.' },
    () => [{ value: durability.whyNoWrites() === undefined ? 1 : 0 }],
  )
  metrics.gauge(
    {
      name: 'cohort_database_standby_replay_lag_seconds',
      help: 'How far a standby is behind the primary.',
      labels: ['standby'],
    },
    () =>
      (durability.view?.standbys ?? []).flatMap(({ name, replayLagMs }) =>
        replayLagMs === null ? [] : [{ value: replayLagMs / 1_000, labels: { standby: name } }],
      ),
  )
  metrics.counter(
    {
      name: 'cohort_database_leftovers_removed_total',
      help: 'Rows that this connector has removed: old tombstones, and members of groups that are gone.',
    },
    () => [{ value: sweep.removedCount }],
  )
  addChangesMetrics(metrics, () => changes.report)
}
