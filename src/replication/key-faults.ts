import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import { RepeatedReports } from '../process/repeated-reports.ts'
import type { KeyFault } from '../register/operation.ts'

const MESSAGES: Record<KeyFault, string> = {
  exhausted:
    'the next write of this key would need a round number, or a generation, that no node takes: the key can be read but not ' +
    'changed. Connectors alone cannot cause this: some other program has written to the nodes, or a disk or memory is bad',
  unreadable:
    'the value that the nodes hold for this key cannot be read, and is not changed. Some other program has written to the ' +
    'nodes, or a disk or memory is bad',
}

/** Logs which keys have a fault: each key at once, and then at most once a minute. */
export function reportKeyFaults(
  logger: Pick<Logger, 'error'>,
  clock: Pick<Clock, 'nowMs'>,
): (key: string, fault: KeyFault) => void {
  const reports = new RepeatedReports(clock)
  return (key, fault) => {
    reports.report(`${fault} ${key}`, (leftOut) => logger.error({ key, fault, leftOut }, MESSAGES[fault]))
  }
}
