import type { NodeLink } from '../replication/links/node-link.ts'

/** One member of the cluster that is followed. */
export type MemberSnapshot = Readonly<{
  nodeId: string
  /** Where it was last seen, as host:port. */
  address: string
  link: Pick<NodeLink, 'isReachable' | 'isSuspect' | 'roundTrips' | 'send'>
  /**
   * - `joining`: the node becomes a member in the next epoch. Until then nothing is decided by its vote
   *   alone.
   * - `leaving`: the node is no longer a member in the next epoch.
   */
  role: 'voting' | 'joining' | 'leaving'
  /**
   * The share of the data that a joining node has, 0 to 1; `undefined` for other nodes, and when it is not
   * known.
   */
  progress: number | undefined
}>

/** An empty node answers in the place of a member, and replaces it soon. */
export type PendingReplacement = Readonly<{
  /** The member that is going to be replaced. */
  nodeId: string
  newNodeId: string
  /** Where the empty node answers, as host:port. */
  address: string
  /** How much time is left for the member to come back. */
  inMs: number
}>

/** What a connector knows of its cluster at a moment. */
export type ClusterSnapshot =
  /** Not found yet. `reason` is a sentence without its full stop. */
  | Readonly<{ kind: 'searching'; hosts: readonly string[]; reason: string }>
  | Readonly<{
      kind: 'found'
      clusterId: string
      epoch: number
      members: readonly MemberSnapshot[]
      /** How many of the members must answer. While a change is under way: how many of those before it. */
      quorum: number
      /** Whether a quorum answers; while a change is under way, a quorum of each of its two memberships. */
      isQuorumReachable: boolean
      /**
       * The change of the membership that is under way, in a sentence without its full stop; `undefined`:
       * none.
       */
      change: string | undefined
      /**
       * Set when too many members have lost their disks: which ones, and what can be done, in a sentence
       * without its full stop.
       */
      loss: string | undefined
      /** `undefined`: no member is going to be replaced. */
      replacement: PendingReplacement | undefined
    }>

/** Where the nodes are; before the cluster is found, where they may be. */
export function addressesOf(snapshot: ClusterSnapshot): readonly string[] {
  return snapshot.kind === 'searching' ? snapshot.hosts : snapshot.members.map(({ address }) => address)
}
