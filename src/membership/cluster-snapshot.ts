import type { NodeLink } from '../replication/links/node-link.ts'

/** One member of the cluster that is followed. */
export type MemberSnapshot = Readonly<{
  nodeId: string
  /** Where it was last seen, as host:port. */
  address: string
  link: Pick<NodeLink, 'isReachable' | 'isSuspect' | 'roundTrips' | 'send'>
  /** `joining`: it copies, and has no vote yet. `leaving`: the next epoch is without it. */
  role: 'voting' | 'joining' | 'leaving'
  /** Of a joining node: which share of the data it has, 0 to 1; `undefined` when that is not known. */
  progress: number | undefined
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
      /** How many members must answer, outside of a change of the membership. */
      quorum: number
      /** Whether enough of them do, of every membership that is in force. */
      isQuorumReachable: boolean
      /**
       * The change of the membership that is under way, in a sentence without its full stop; `undefined`:
       * none.
       */
      change: string | undefined
      /**
       * Too many members have lost their disks: who, and what can be done, in a sentence without its full
       * stop.
       */
      loss: string | undefined
    }>

/** Where the nodes are, or may be. */
export function addressesOf(snapshot: ClusterSnapshot): readonly string[] {
  return snapshot.kind === 'searching' ? snapshot.hosts : snapshot.members.map(({ address }) => address)
}
