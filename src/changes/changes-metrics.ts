import type { Metrics } from '../metrics/metrics.ts'

/** What following the changes of groups has come to. */
export type ChangesReport = Readonly<{
  isFollowing: boolean
  isCovered: boolean
  /** How old the moment is up to which all changes are known. `undefined`: changes may be missed. */
  lagMs: number | undefined
  changeCount: number
  lostCount: number
}>

/** Adds the metrics of following the changes of groups, which are the same for all engines. */
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
