/** The database of the engine on Postgres, for people: the primary, then one line for each standby. */
import type { DatabaseStatus, StandbyStatus } from '../../api/status-schemas.ts'
import { type Cell, folded, type HeadCell, type Layout, tableLines } from './table.ts'

export function databaseLines(database: DatabaseStatus, layout: Layout): string[] {
  const { primary, version, timeline, waitsFor, required, standbys } = database
  const where =
    primary === null
      ? 'no primary yet'
      : `primary ${primary}  Postgres ${version ?? '?'}  timeline ${timeline}  a commit waits for ${waitsFor} of ${standbys.length} standbys (asked for: ${required})`
  return [...folded(where, layout.columns), '', ...tableLines(HEAD, standbys.map(rowOf), layout)]
}

const HEAD: readonly HeadCell[] = [
  { text: 'standby' },
  { text: 'state' },
  { text: 'synchronous' },
  { text: 'lag ms', isNumber: true },
  { text: 'connection', rank: 1 },
]

function rowOf({ name, address, state, isSynchronous, replayLagMs }: StandbyStatus): Cell[] {
  const isUp = state === 'streaming'
  return [
    { text: name },
    { text: state, tone: isUp ? 'good' : 'warning' },
    { text: isSynchronous ? 'yes' : 'no', tone: isSynchronous ? 'plain' : 'warning' },
    { text: replayLagMs === null ? '-' : replayLagMs.toLocaleString('en-US'), isNumber: true },
    { text: address ?? '-' },
  ]
}
