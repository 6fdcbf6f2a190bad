import { isatty } from 'node:tty'
import type { Variables } from '../config/environment.ts'

/** What the reader of an output can show. */
export type Terminal = Readonly<{
  /** Whether it is a terminal at all: a person reads it. */
  isTerminal: boolean
  /**
   * `undefined`: no terminal, or one on which the cursor cannot be moved. Lines are only added at the end.
   */
  columns: number | undefined
  rows: number | undefined
  hasColours: boolean
}>

/** The size of a terminal that does not know its own. */
const COLUMNS = 80
const ROWS = 24

/**
 * The terminal behind stdout (1) or stderr (2), by NO_COLOR (no-color.org) and TERM too. Its size can change.
 */
export function terminalOf(descriptor: 1 | 2, { NO_COLOR, TERM }: Variables): Terminal {
  const isTerminal = isatty(descriptor)
  if (!isTerminal || TERM === 'dumb') {
    return { isTerminal, columns: undefined, rows: undefined, hasColours: false }
  }
  const stream = descriptor === 1 ? process.stdout : process.stderr
  return {
    isTerminal,
    get columns() {
      return stream.columns || COLUMNS
    },
    get rows() {
      return stream.rows || ROWS
    },
    hasColours: !NO_COLOR,
  }
}
