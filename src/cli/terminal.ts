import { isatty } from 'node:tty'
import type { Variables } from '../config/environment.ts'

/** What stdout or stderr can show. */
export type Terminal = Readonly<{
  /** Whether it is a terminal, which a person reads. */
  isTerminal: boolean
  /**
   * `undefined`: it is no terminal, or the cursor cannot be moved on it. Then text is only appended.
   */
  columns: number | undefined
  rows: number | undefined
  hasColours: boolean
}>

/** The size that is assumed for a terminal that does not report its own. */
const COLUMNS = 80
const ROWS = 24

/**
 * The terminal of stdout (1) or stderr (2). The variables NO_COLOR (no-color.org) and TERM are respected. The
 * size can change.
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
