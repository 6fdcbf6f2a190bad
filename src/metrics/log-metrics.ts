import type { Log } from '../process/log.ts'
import type { Metrics } from './metrics.ts'

/** Adds the metrics of the log of a process. */
export function addLogMetrics(metrics: Metrics, log: Pick<Log, 'droppedCount'>): void {
  metrics.counter(
    {
      name: 'cohort_log_lines_dropped_total',
      help: 'Log lines that could not be written: a full disk, or a reader that is gone or slow.',
    },
    () => [{ value: log.droppedCount() }],
  )
}
