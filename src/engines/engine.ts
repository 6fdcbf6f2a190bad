/**
 * The contract between the public API and what keeps the groups. HTTP knows this file and no engine; an
 * engine knows this file and no HTTP. `src/connector/main.ts` is the one place that puts the two together.
 *
 * An engine always keeps groups, says whether it can serve, and describes itself. Every further part is
 * optional: the routes of a part that an engine does not have are not mounted, and are not in the API's
 * description.
 */
import type { MembershipChange } from '../api/member-schemas.ts'
import type { ClusterStatus, GroupReplicas } from '../api/status-schemas.ts'
import type { Registry } from '../group/registry.ts'
import type { Metrics } from '../metrics/metrics.ts'

export interface Engine {
  /** The groups. */
  readonly registry: Registry
  readonly readiness: Readiness
  readonly status: StatusView
  /** What each copy of a group holds; for engines that can ask each copy. */
  readonly replicas?: ReplicasView
  /** Changes of which nodes are members; for engines that decide it themselves. */
  readonly members?: MemberChanges
  /** Adds the figures of this engine, each with the prefix `cohort_`. Call it once. */
  addMetrics(metrics: Metrics): void
  /** Works in the background until the engine is closed. Call it once; rejects only because of a bug. */
  run(): Promise<void>
  /** Ends `run`. Call it when the last request has been answered. May be repeated. */
  close(): void
}

export interface Readiness {
  /** Whether operations can be decided at the moment. */
  isReady(): boolean
}

export interface StatusView {
  /** How the engine is, from what is known already: at once, whatever the nodes do. */
  describe(): ClusterStatus
}

export interface ReplicasView {
  /**
   * What each member holds for a group, asked now, within a second or so. `undefined` until the cluster is
   * found.
   */
  describe(groupId: string): Promise<GroupReplicas | undefined>
}

/** Why a change of the membership is not begun. Each is a code of the public API. */
export type ChangeRefusalCode =
  | 'member_not_found'
  | 'change_in_progress'
  | 'already_a_member'
  | 'too_few_members'
  | 'too_many_members'
  | 'members_unreachable'
  | 'node_unreachable'
  | 'node_not_empty'

/** What came of the request for a change of the membership. */
export type ChangeResult =
  /** The change is chosen, and will be carried out by this process or another. */
  | Readonly<{ kind: 'accepted'; change: MembershipChange }>
  /** Nothing was done. `reason` is a sentence or two for a person. */
  | Readonly<{ kind: 'refused'; code: ChangeRefusalCode; reason: string }>
  /** As of an `Outcome`. `reason` is a sentence without its full stop. */
  | Readonly<{ kind: 'not_applied' | 'unknown'; reason: string }>

/**
 * Changes of the membership, one at a time. Each resolves when the change is chosen, not when it is carried
 * out.
 */
export interface MemberChanges {
  /** Makes the empty node at an address (host:port) one more member. */
  add(address: string): Promise<ChangeResult>
  /** Puts the empty node at an address (host:port) in the place of a member. */
  replace(nodeId: string, address: string): Promise<ChangeResult>
  /** Takes a member out. */
  remove(nodeId: string): Promise<ChangeResult>
}
