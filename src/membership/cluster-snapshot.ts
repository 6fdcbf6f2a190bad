import type { NodeLink } from '../replication/links/node-link.ts'

/** One member of the cluster that this connector follows. */
export type MemberSnapshot = Readonly<{
  nodeId: string
  /** Where it was last seen, as host:port. */
  address: string
  link: Pick<NodeLink, 'isReachable' | 'isSuspect' | 'roundTrips' | 'send'>
  /**
   * - `joining`: the node becomes a member in the next epoch. Until then the old members must agree too.
   * - `leaving`: the node is no longer a member in the next epoch.
   */
  role: 'voting' | 'joining' | 'leaving'
  /**
   * The share of the data that a joining node has, 0 to 1. `undefined` for other nodes, and if it is not
   * known.
   */
  progress: number | undefined
}>

/** An empty node answers at the address of a member, and will replace that member. */
export type PendingReplacement = Readonly<{
  /** The member that will be replaced. */
  nodeId: string
  newNodeId: string
  /** Where the empty node answers, as host:port. */
  address: string
  /** The time in which the member can still come back. */
  inMs: number
}>

/** What a connector knows about its cluster at one moment. */
export type ClusterSnapshot =
  /** The cluster is not found yet. `reason` is a sentence without its full stop. */
  | Readonly<{ kind: 'searching'; hosts: readonly string[]; reason: string }>
  | Readonly<{
      kind: 'found'
      clusterId: string
      epoch: number
      members: readonly MemberSnapshot[]
      /** How many members must answer. While a change is under way: how many of the old members. */
      quorum: number
      /**
       * Whether a quorum answers. While a change is under way: a quorum of the old and one of the new
       * members.
       */
      isQuorumReachable: boolean
      /**
       * The change of the membership that is under way, as a sentence without its full stop. `undefined`:
       * there is none.
       */
      change: string | undefined
      /**
       * Set if too many members have lost their disks. It says which members, and what to do, as a sentence
       * without its full stop.
       */
      loss: string | undefined
      /** `undefined`: no member will be replaced. */
      replacement: PendingReplacement | undefined
    }>

/** The addresses of the nodes. Before the cluster is found: the addresses where they may be. */
export function addressesOf(snapshot: ClusterSnapshot): readonly string[] {
  return snapshot.kind === 'searching' ? snapshot.hosts : snapshot.members.map(({ address }) => address)
}
