/** Describes what the members hold for one group, for `GET /v1/group/{groupId}/replicas`. Pure. */
import type { GroupReplicas, ReplicaView } from '../../../api/status-schemas.ts'
import { decodeGroup } from '../../../group/group-codec.ts'
import { compareBallots } from '../../../register/ballot.ts'
import { isDamage } from '../../../register/damage.ts'
import type { KeyRecord } from '../../../register/messages.ts'
import { isTombstone } from '../../../register/state.ts'
import type { Divergence } from '../../../replication/divergence.ts'
import { viewOfBallot } from './describe-cluster.ts'
import type { ReplicaRead } from './read-replicas.ts'
import { counted, sentence } from './verdict.ts'

export function describeReplicas(
  groupId: string,
  reads: readonly ReplicaRead[],
  divergences: readonly Divergence[],
): GroupReplicas {
  const replicas = reads.map(viewOf)
  return { groupId, ...compare(replicas, divergences), replicas }
}

function viewOf({ nodeId, address, record }: ReplicaRead): ReplicaView {
  const where = { nodeId, address }
  if (record === undefined || isDamage(record)) {
    const nothing = {
      version: null,
      generation: null,
      writeId: null,
      ballot: null,
      chosen: null,
      promised: null,
    }
    return { ...where, holds: record === undefined ? 'unreachable' : 'damaged', ...nothing }
  }
  const { promised, accepted, state, chosen } = record
  const { generation, writeId, value } = state
  const { proposerId, sequence } = writeId
  return {
    ...where,
    holds: holdsWhat(record),
    version: value === undefined ? null : versionOf(value),
    generation,
    writeId: generation === 0 ? null : { proposerId, sequence, text: `${proposerId}.${sequence}` },
    ballot: accepted === undefined ? null : viewOfBallot(accepted),
    chosen,
    promised: viewOfBallot(promised),
  }
}

function holdsWhat({ state, isStub }: KeyRecord): ReplicaView['holds'] {
  if (isStub) return 'stub'
  if (state.value !== undefined) return 'group'
  return isTombstone(state) ? 'tombstone' : 'absent'
}

/** The version of a group. `null` if the bytes are not a group: the route must show such records too. */
function versionOf(value: Uint8Array): number | null {
  try {
    return decodeGroup(value).version
  } catch {
    return null
  }
}

function compare(
  replicas: readonly ReplicaView[],
  divergences: readonly Divergence[],
): Pick<GroupReplicas, 'agree' | 'differ' | 'reason'> {
  const answered = replicas.filter(({ holds }) => holds !== 'unreachable' && holds !== 'damaged')
  const missing = replicas.length - answered.length
  const damaged = replicas.filter(({ holds }) => holds === 'damaged').length
  if (divergences.length > 0) {
    const reason =
      'divergence: nodes hold different states that both are marked chosen at one ballot; neither is overwritten, and a human must decide which is right'
    return { agree: false, differ: true, reason: sentence([reason]) }
  }
  const away: string[] = []
  if (missing > damaged) away.push(`${counted(missing - damaged, 'node does', 'nodes do')} not answer`)
  if (damaged > 0)
    away.push(
      `${counted(damaged, 'node holds', 'nodes hold')} a damaged record, which has no vote until it has healed`,
    )
  if (answered.length === 0)
    return { agree: false, differ: false, reason: damaged === 0 ? 'No node answers.' : sentence(away) }
  const states = new Set(answered.map(nameOfState))
  if (states.size > 1) {
    return {
      agree: false,
      differ: true,
      reason: sentence([describeDifference(answered, states.size), ...away]),
    }
  }
  const who = missing === 0 ? allOf(answered.length) : thoseOf(answered.length)
  const reason = sentence([`${who} ${whatTheyHold(answered)}`, ...away])
  return { agree: missing === 0, differ: false, reason }
}

function describeDifference(answered: readonly ReplicaView[], stateCount: number): string {
  const newest = answered.toSorted((a, b) => compareViews(b, a))[0]!
  const behind = answered.filter((replica) => compareViews(replica, newest) < 0).length
  // Votes for several states at one ballot, none of them marked as chosen: at most one of the states is
  // chosen.
  if (behind === 0) {
    return `nodes voted for ${stateCount} states at one ballot; whichever of them is chosen, the next read or repair finishes it`
  }
  return `${counted(behind, 'node holds', 'nodes hold')} an older state; it is replaced when the group is next read or written, or by repair`
}

function compareViews(a: ReplicaView, b: ReplicaView): number {
  const none = { round: 0, proposerId: 0 }
  return compareBallots(a.ballot ?? none, b.ballot ?? none)
}

/** A name for a state. A state keeps its writeId on every node and at every ballot. */
function nameOfState({ generation, writeId }: ReplicaView): string {
  return generation === 0 ? '0' : `${generation} ${writeId?.text}`
}

function whatTheyHold(answered: readonly ReplicaView[]): string {
  const { holds, version } = answered[0]!
  const verb = answered.length === 1 ? 'holds' : 'hold'
  const same = answered.length === 1 ? 'a' : 'the same'
  if (holds === 'group') return `${verb} ${same} state, version ${version ?? 'unreadable'}`
  if (holds === 'tombstone') return `${verb} ${same} tombstone: the group was deleted`
  return `${verb} nothing: there is no such group`
}

function thoseOf(count: number): string {
  return count === 1 ? 'the one node that answers' : `the ${count} nodes that answer`
}

function allOf(count: number): string {
  return count === 1 ? 'the one node' : `all ${count} nodes`
}
