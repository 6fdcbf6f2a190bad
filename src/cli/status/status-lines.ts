/** `GET /v1/cluster` for a tired person: the verdict and why, then one line for each member. */
import type { ClusterStatus, MemberStatus } from '../../api/status-schemas.ts'
import { printable } from '../format-group.ts'
import { type Cell, type Paint, type Tone, tableLines } from './table.ts'

const VERDICT_TONES = {
  healthy: 'good',
  degraded: 'warning',
  unavailable: 'bad',
} as const satisfies Record<ClusterStatus['verdict'], Tone>

/** What is not known. */
const UNKNOWN = '?'

export function statusLines(status: ClusterStatus, paint: Paint): string[] {
  const { verdict, reason, clusterId, epoch, members, divergences } = status
  return [
    `${paint(verdict.toUpperCase(), VERDICT_TONES[verdict])}  ${printable(reason)}`,
    '',
    clusterId === null ? 'no cluster yet' : `cluster ${printable(clusterId)}  epoch ${epoch}`,
    '',
    ...tableLines([HEAD, ...members.map(memberRow)], paint),
    ...members.flatMap(problemLines),
    ...divergenceLines(divergences),
  ]
}

const HEAD: readonly Cell[] = [
  { text: 'address' },
  { text: 'state' },
  ...['p50 ms', 'p99 ms', 'lag', 'records', 'tombstones', 'stubs', 'epoch'].map(numeric),
  { text: 'version' },
  { text: 'node id' },
].map((cell) => ({ ...cell, tone: 'dim' as const }))

function memberRow(member: MemberStatus): Cell[] {
  const { address, latencyMs, lag, records, tombstones, stubs, epoch, version, nodeId } = member
  return [
    { text: printable(address) },
    stateOf(member),
    numeric(latencyMs === null ? UNKNOWN : latencyMs.p50.toFixed(1)),
    numeric(latencyMs === null ? UNKNOWN : latencyMs.p99.toFixed(1)),
    { ...numeric(count(lag)), tone: lag === null || lag === 0 ? 'plain' : 'warning' },
    ...[records, tombstones, stubs, epoch].map((figure) => numeric(count(figure))),
    { text: printable(version ?? UNKNOWN) },
    { text: printable(nodeId ?? UNKNOWN) },
  ]
}

/** In words: colour is no more than an echo of them. */
function stateOf({ role, progress, reachable, suspect, version }: MemberStatus): Cell {
  // It says who it is; the connector waits for others, or the node for a part in the cluster.
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
  return problem === null ? [] : ['', `${printable(address)}: ${printable(problem)}`]
}

function divergenceLines({ count: found, first }: ClusterStatus['divergences']): string[] {
  if (found === 0) return []
  const lines = first.map(
    ({ key, ballot, nodeIds }) =>
      `  ${printable(key)}  at ballot ${printable(ballot.text)}, on ${nodeIds.map(printable).join(' and ')}`,
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
