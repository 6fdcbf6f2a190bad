/** Describes a cluster for `GET /v1/cluster`, from what the connector knows. Pure. */
import type { BallotView, ClusterStatus, MemberStatus } from '../../../api/status-schemas.ts'
import type {
  ClusterSnapshot,
  MemberSnapshot,
  PendingReplacement,
} from '../../../membership/cluster-snapshot.ts'
import { type Ballot, formatBallot } from '../../../register/ballot.ts'
import type { Divergence } from '../../../replication/divergence.ts'
import type { Description } from '../../../rpc/messages.ts'
import type { LagSource } from '../../../upkeep/repair/lag-source.ts'
import { judge, sentence } from './verdict.ts'

/** What the parts of a connector know in addition to the snapshot. */
export type Knowledge = Readonly<{
  /** What the node at an address has last said about itself. */
  latest: (address: string) => Description | undefined
  /** Why the last answer of the node at an address could not be used. */
  problem: (address: string) => string | undefined
  lag: LagSource
  divergences: readonly Divergence[]
  /**
   * What needs attention although the cluster is well, of this process and of the nodes at these addresses.
   * Each is a sentence without its full stop.
   */
  notices: (addresses: readonly string[]) => readonly string[]
}>

const DIVERGENCES_SHOWN_MAX = 20

export function describeCluster(snapshot: ClusterSnapshot, knowledge: Knowledge): ClusterStatus {
  const { divergences } = knowledge
  const found = {
    count: divergences.length,
    first: divergences.slice(0, DIVERGENCES_SHOWN_MAX).map(viewOfDivergence),
  }
  if (snapshot.kind === 'searching') {
    const { hosts, reason } = snapshot
    return {
      verdict: 'unavailable',
      reason: sentence([`the cluster is not found yet: ${reason}`]),
      clusterId: null,
      epoch: null,
      quorum: null,
      change: null,
      replacement: null,
      members: hosts.map((address) => describeHost(address, knowledge)),
      notices: noticesOf(hosts, knowledge),
      divergences: found,
    }
  }
  const { clusterId, epoch, quorum, isQuorumReachable, change, loss } = snapshot
  const replacement = viewOfReplacement(snapshot.replacement)
  const members = snapshot.members.map((member) => describeMember(member, knowledge))
  const divergenceCount = divergences.length
  const verdict = judge({ members, quorum, isQuorumReachable, change, replacement, loss, divergenceCount })
  return {
    ...verdict,
    clusterId,
    epoch,
    quorum,
    change: change ?? null,
    replacement,
    members,
    notices: noticesOf(
      members.map(({ address }) => address),
      knowledge,
    ),
    divergences: found,
  }
}

function noticesOf(addresses: readonly string[], { notices }: Knowledge): string[] {
  return notices(addresses).map((notice) => sentence([notice]))
}

function viewOfReplacement(pending: PendingReplacement | undefined): ClusterStatus['replacement'] {
  if (pending === undefined) return null
  const { nodeId, newNodeId, address, inMs } = pending
  return { nodeId, newNodeId, address, seconds: Math.ceil(inMs / 1_000) }
}

/** A ballot, as numbers and as the text that logs show. */
export function viewOfBallot({ round, proposerId }: Ballot): BallotView {
  return { round, proposerId, text: formatBallot({ round, proposerId }) }
}

/** A host, before the cluster is found: what its node says about itself. */
function describeHost(address: string, { latest, problem }: Knowledge): MemberStatus {
  const description = latest(address)
  return {
    ...holdings(description),
    nodeId: description?.nodeId ?? null,
    address,
    role: 'voting',
    progress: null,
    reachable: false,
    suspect: true,
    latencyMs: null,
    lag: null,
    problem: description === undefined ? silenceOf(problem(address)) : null,
  }
}

function describeMember(member: MemberSnapshot, { latest, problem, lag }: Knowledge): MemberStatus {
  const { nodeId, address, role, progress, link } = member
  const description = latest(address)
  const isItself = description?.nodeId === nodeId
  const percentiles = link.roundTrips.percentiles()
  return {
    ...holdings(isItself ? description : undefined),
    nodeId,
    address,
    role,
    progress: progress ?? null,
    reachable: link.isReachable,
    suspect: link.isSuspect,
    latencyMs:
      percentiles === undefined ? null : { p50: rounded(percentiles.p50), p99: rounded(percentiles.p99) },
    lag: lag.lagOf(nodeId) ?? null,
    problem: problemOf(member, description, problem(address)),
  }
}

/** What is said of a node without a description: why its answer could not be used, if it gave one. */
function silenceOf(unusable: string | undefined): string {
  return unusable === undefined ? 'It does not answer.' : sentence([unusable])
}

function problemOf(
  { nodeId, link }: MemberSnapshot,
  description: Description | undefined,
  unusable: string | undefined,
): string | null {
  if (link.isReachable) return null
  if (description === undefined) return silenceOf(unusable)
  if (description.nodeId === nodeId) return 'It answers, but takes no part yet.'
  return (
    `Another node answers at this address (${description.nodeId}): the data directory is not the one of this member, ` +
    'or was lost.'
  )
}

/** What a node has said it holds. All are null if it has not answered. */
function holdings(
  description: Description | undefined,
): Pick<MemberStatus, 'records' | 'tombstones' | 'stubs' | 'damaged' | 'healed' | 'version' | 'epoch'> {
  return {
    records: description?.recordCount ?? null,
    tombstones: description?.tombstoneCount ?? null,
    stubs: description?.stubCount ?? null,
    damaged: description?.damagedCount ?? null,
    healed: description?.healedCount ?? null,
    version: description?.version ?? null,
    epoch: description?.membership?.epoch ?? null,
  }
}

function viewOfDivergence({
  key,
  ballot,
  replicas,
}: Divergence): ClusterStatus['divergences']['first'][number] {
  return { key, ballot: viewOfBallot(ballot), nodeIds: replicas.map(({ nodeId }) => nodeId) }
}

function rounded(timeMs: number): number {
  return Math.round(timeMs * 100) / 100
}
