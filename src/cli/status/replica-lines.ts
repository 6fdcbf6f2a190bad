/**
 * Shows `GET /v1/group/{groupId}/replicas` to people: whether the nodes agree, then one line for each node.
 */
import type { GroupReplicas, ReplicaView } from '../../api/status-schemas.ts'
import { printable } from '../format-group.ts'
import { type Cell, type HeadCell, type Paint, tableLines } from './table.ts'

const NOTHING = '-'

export function replicaLines(group: GroupReplicas, paint: Paint): string[] {
  const { reason, replicas } = group
  return [
    `${verdict(group, paint)}  ${printable(reason)}`,
    '',
    ...tableLines(HEAD, replicas.map(row), { paint }),
  ]
}

function verdict({ agree, differ }: GroupReplicas, paint: Paint): string {
  if (agree) return paint('AGREE', 'good')
  return differ ? paint('DIFFER', 'bad') : paint('INCOMPLETE', 'warning')
}

const HEAD: readonly HeadCell[] = [
  { text: 'address' },
  { text: 'holds' },
  { text: 'version', isNumber: true },
  { text: 'generation', isNumber: true },
  { text: 'ballot' },
  { text: 'chosen' },
  { text: 'promised' },
  { text: 'write id' },
  { text: 'node id' },
]

function row(replica: ReplicaView): Cell[] {
  const { address, holds, version, generation, ballot, chosen, promised, writeId, nodeId } = replica
  const isBad = holds === 'unreachable' || holds === 'damaged'
  return [
    { text: address },
    { text: isBad ? holds.toUpperCase() : holds, tone: isBad ? 'bad' : 'plain' },
    { text: String(version ?? NOTHING), isNumber: true },
    { text: String(generation ?? NOTHING), isNumber: true },
    { text: ballot?.text ?? NOTHING },
    { text: chosen === null ? NOTHING : chosen ? 'yes' : 'no' },
    { text: promised?.text ?? NOTHING },
    { text: writeId?.text ?? NOTHING },
    { text: nodeId },
  ]
}
