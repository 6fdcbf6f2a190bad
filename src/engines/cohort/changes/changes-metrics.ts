import type { Metrics } from '../../../metrics/metrics.ts'
import type { ChangesReport } from './cluster-changes.ts'

/** Adds the metrics of following the changes of nodes. */
export function addChangesMetrics(metrics: Metrics, report: () => ChangesReport): void {
  metrics.gauge(
    {
      name: 'cohort_changes_covered',
      help: 'Whether every change of a group is noticed: 1 or 0. Missing while no client watches.',
    },
    () => {
      const { isFollowing, isCovered } = report()
      return isFollowing ? [{ value: isCovered ? 1 : 0 }] : []
    },
  )
  metrics.gauge(
    {
      name: 'cohort_changes_lag_seconds',
      help: 'How old the moment is up to which all changes are known. Usually below a second.',
    },
    () => {
      const { lagMs } = report()
      return lagMs === undefined ? [] : [{ value: lagMs / 1_000 }]
    },
  )
  metrics.counter(
    { name: 'cohort_changes_reads_total', help: 'Reads of keys that nodes have changed.' },
    () => [{ value: report().readCount }],
  )
  metrics.counter({ name: 'cohort_changes_total', help: 'Changes of groups that were noticed.' }, () => [
    { value: report().changeCount },
  ])
  metrics.counter(
    {
      name: 'cohort_changes_lost_total',
      help: 'How often changes may have been missed, so that clients that watch were told to begin again.',
    },
    () => [{ value: report().lostCount }],
  )
}
