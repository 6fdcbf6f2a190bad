/** The log of a process: one JSON line for each event, on stdout. */
import { type Logger, pino } from 'pino'
import { type Destination, destinationOf } from './destination.ts'
import { LineOutput } from './line-output.ts'

/** A log that never stops its process: a line that cannot be written is dropped and counted. */
export type Log = Readonly<{
  logger: Logger
  /** How many lines were dropped so far. */
  droppedCount: () => number
}>

/** How many bytes may wait for a slow reader: some thousand lines. */
const PENDING_BYTES_MAX = 1_048_576

/**
 * Opens the log of this process. Each line is given to the system at once, so that the last line says why a
 * process has ended.
 *
 * @param settings `name` is in every line; `level` is a level of pino
 * @param destination default: stdout
 */
export function openLog(
  { name, level }: Readonly<{ name: string; level: string }>,
  destination: Pick<Destination, 'write'> = destinationOf(1, { pendingBytesMax: PENDING_BYTES_MAX }),
): Log {
  const lines = new LineOutput(destination, gapLines(name))
  return { logger: pino({ name, level }, lines), droppedCount: () => lines.droppedCount }
}

/** Makes the lines that report dropped lines, in the same form as all other lines. */
function gapLines(name: string): (dropped: number) => string {
  let line = ''
  const write = (text: string) => {
    line = text
  }
  const logger = pino({ name }, { write })
  return (dropped) => {
    logger.warn({ dropped }, 'log lines could not be written and were dropped')
    return line
  }
}
