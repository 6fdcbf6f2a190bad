import type { Logger } from 'pino'
import type { Metrics } from '../metrics/metrics.ts'
import { AuditLog } from '../process/audit-log.ts'
import { systemClock } from '../process/clock.ts'

export type Audit = Readonly<{
  /** `undefined`: there is no audit log. */
  log: AuditLog | undefined
  close: () => void
}>

/**
 * Opens the audit log of a connector, and opens its file again after SIGUSR2: a program that rotates logs
 * moves the file first.
 *
 * @param path `-`: stdout; `undefined`: no audit log
 * @throws {FaultError} when the file cannot be opened
 */
export function openAudit(
  path: string | undefined,
  { logger, metrics, now }: Readonly<{ logger: Logger; metrics: Metrics; now: () => Date }>,
): Audit {
  const log = path === undefined ? undefined : new AuditLog({ path, logger, clock: systemClock, now })
  const reopen = () => log?.reopen()
  if (log !== undefined) process.on('SIGUSR2', reopen)
  metrics.counter(
    {
      name: 'cohort_audit_lines_dropped_total',
      help: 'Lines of the audit log that could not be written: a full disk, or a reader that is gone or slow.',
    },
    () => [{ value: log?.droppedCount ?? 0 }],
  )
  return {
    log,
    close: () => {
      process.off('SIGUSR2', reopen)
      log?.close()
    },
  }
}
