import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import { RepeatedReports } from '../process/repeated-reports.ts'

/**
 * Says in the log which nodes send what makes no sense: each at once, and then at most once a minute. Such a
 * node is used again and again, because it may have been one bad moment.
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
        'a node sent what makes no sense, and it was not used: check that the versions of this connector and of the node ' +
          'work together, and the disk and memory of the node',
      ),
    )
  }
}
