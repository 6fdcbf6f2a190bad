import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import { RepeatedReports } from '../process/repeated-reports.ts'

/**
 * Logs which nodes send malformed answers: each node at once, and then at most once a minute. Such a node is
 * used again, because the fault may have been temporary.
 */
export function reportMalformedAnswers(
  logger: Pick<Logger, 'warn'>,
  clock: Pick<Clock, 'nowMs'>,
): (address: string, reason: string) => void {
  const reports = new RepeatedReports(clock)
  return (address, reason) => {
    reports.report(address, (leftOut) =>
      logger.warn(
        { address, reason, leftOut },
        'a node sent a message that cannot be right, and it was not used: check that the versions of this connector and of the ' +
          'node work together, and check the disk and memory of the node',
      ),
    )
  }
}
