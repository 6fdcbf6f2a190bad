/** Shows `GET /v1/cluster` to people: the verdict and its reason, then one line for each member. */
import type { ClusterStatus, MemberStatus } from '../../api/status-schemas.ts'
import { databaseLines } from './database-lines.ts'
import {
  type Cell,
  folded,
  type HeadCell,
  type Layout,
  type Tone,
  tableLines,
  verdictLines,
} from './table.ts'

const VERDICT_TONES = {
  healthy: 'good',
  degraded: 'warning',
  unavailable: 'bad',
} as const satisfies Record<ClusterStatus['verdict'], Tone>

/** Shown in place of a figure that is not known. */
const UNKNOWN = '?'

export function statusLines(status: ClusterStatus, layout: Layout): string[] {
  const { verdict, reason, members, divergences } = status
  const { columns } = layout
  const shown =
    status.database === undefined ? membersOf(status, layout) : databaseLines(status.database, layout)
  return [
    ...verdictLines(verdict.toUpperCase(), VERDICT_TONES[verdict], reason, layout),
    '',
    ...shown,
    ...[...members.flatMap(problemLines), ...noticeLines(status), ...divergenceLines(divergences)].flatMap(
      (line) => folded(line, columns),
    ),
  ]
}

function membersOf({ clusterId, epoch, members }: ClusterStatus, layout: Layout): string[] {
  const cluster = clusterId === null ? 'no cluster yet' : `cluster ${clusterId}  epoch ${epoch}`
  return [...folded(cluster, layout.columns), '', ...tableLines(HEAD, members.map(memberRow), layout)]
}

/** Where there is little room, the columns that tell most about the cluster's health are kept longest. */
const HEAD: readonly HeadCell[] = [
  { text: 'address' },
  { text: 'state' },
  { ...numeric('p50 ms'), rank: 7 },
  { ...numeric('p99 ms'), rank: 6 },
  { ...numeric('lag'), rank: 9 },
  { ...numeric('records'), rank: 8 },
  { ...numeric('tombstones'), rank: 5 },
  { ...numeric('stubs'), rank: 4 },
  { ...numeric('epoch'), rank: 3 },
  { text: 'version', rank: 2 },
  { text: 'node id', rank: 1 },
]

function memberRow(member: MemberStatus): Cell[] {
  const { address, latencyMs, lag, records, tombstones, stubs, epoch, version, nodeId } = member
  return [
    { text: address },
    stateOf(member),
    numeric(latencyMs === null ? UNKNOWN : latencyMs.p50.toFixed(1)),
    numeric(latencyMs === null ? UNKNOWN : latencyMs.p99.toFixed(1)),
    { ...numeric(count(lag)), tone: lag === null || lag === 0 ? 'plain' : 'warning' },
    ...[records, tombstones, stubs, epoch].map((figure) => numeric(count(figure))),
    { text: version ?? UNKNOWN },
    { text: nodeId ?? UNKNOWN },
  ]
}

/** The state of a member, in a word or two. */
function stateOf({ role, progress, reachable, suspect, version }: MemberStatus): Cell {
  // The node answers, but the connector still waits for other nodes, or the node is in another epoch.
  if (!reachable && version !== null) return { text: 'waiting', tone: 'warning' }
  if (!reachable) return { text: role === 'voting' ? 'UNREACHABLE' : `${role}, UNREACHABLE`, tone: 'bad' }
  if (role === 'joining') {
    const share = progress === null ? '' : ` ${Math.floor(progress * 100)} %`
    return { text: `joining${share}`, tone: 'warning' }
  }
  if (role === 'leaving') return { text: 'leaving', tone: 'warning' }
  return suspect ? { text: 'slow', tone: 'warning' } : { text: 'up', tone: 'good' }
}

function problemLines({ address, problem }: MemberStatus): string[] {
  return problem === null ? [] : ['', `${address}: ${problem}`]
}

/** A connector of an older version sends none. */
function noticeLines({ notices }: Partial<Pick<ClusterStatus, 'notices'>>): string[] {
  return (notices ?? []).flatMap((notice) => ['', notice])
}

function divergenceLines({ count: found, first }: ClusterStatus['divergences']): string[] {
  if (found === 0) return []
  const lines = first.map(
    ({ key, ballot, nodeIds }) => `  ${key}  at ballot ${ballot.text}, on ${nodeIds.join(' and ')}`,
  )
  const more = found > first.length ? [`  and ${(found - first.length).toLocaleString('en-US')} more`] : []
  return ['', 'DIVERGENCE: nodes hold different states as chosen; neither is overwritten', ...lines, ...more]
}

function count(figure: number | null): string {
  return figure === null ? UNKNOWN : figure.toLocaleString('en-US')
}

function numeric(text: string): Cell {
  return { text, isNumber: true }
}
