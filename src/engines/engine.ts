/**
 * The contract between the public API and an engine, which keeps the groups. The code of HTTP imports this
 * file and no engine. An engine imports this file and no HTTP. Only `src/connector/main.ts` connects the two.
 *
 * Every engine keeps groups, says whether it can serve, and describes its state. The other parts are
 * optional: if an engine does not have a part, its routes are not mounted, and the API's description does not
 * have them.
 */
import type { KeyStore } from '../access/key-store.ts'
import type { MembershipChange } from '../api/member-schemas.ts'
import type { ClusterStatus, GroupReplicas } from '../api/status-schemas.ts'
import type { Group } from '../group/group.ts'
import type { GroupMembers } from '../group/group-members.ts'
import type { Registry } from '../group/registry.ts'
import type { Metrics } from '../metrics/metrics.ts'

export interface Engine {
  /** Reads and changes groups. */
  readonly registry: Registry
  readonly readiness: Readiness
  readonly status: StatusView
  /** Shows what each copy of a group holds. Given if the engine can ask each copy. */
  readonly replicas?: ReplicasView
  /** Keeps who is in which group. Given if the engine can do it. */
  readonly groupMembers?: GroupMembers
  /** Keeps the API keys. Given if the engine can keep them as safely as groups. */
  readonly keys?: KeyStore
  /** Adds and removes members of the cluster. Given if the engine decides about its members itself. */
  readonly members?: MemberChanges
  /** Tells which groups change. Given if the engine can follow its copies. */
  readonly changes?: Changes
  /** Adds the metrics of this engine, each with the prefix `cohort_`. Call it once. */
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
  /** The state of the engine, from what is known already. It never waits for a node. */
  describe(): ClusterStatus
}

export interface ReplicasView {
  /**
   * Asks each member now what it holds for a group. It takes about a second at most. `undefined` until the
   * cluster is found.
   */
  describe(groupId: string): Promise<GroupReplicas | undefined>
}

/** Why a change of the membership was refused. Each is a code of the public API. */
export type ChangeRefusalCode =
  | 'member_not_found'
  | 'change_in_progress'
  | 'already_a_member'
  | 'too_few_members'
  | 'too_many_members'
  | 'members_unreachable'
  | 'node_unreachable'
  | 'node_not_empty'

/** The result of a request for a change of the membership. */
export type ChangeResult =
  /** The change is chosen. This process or another one will carry it out. */
  | Readonly<{ kind: 'accepted'; change: MembershipChange }>
  /** Nothing was changed. `reason` is one or two sentences for people. */
  | Readonly<{ kind: 'refused'; code: ChangeRefusalCode; reason: string }>
  /** As in `Outcome`. `reason` is a sentence without its full stop. */
  | Readonly<{ kind: 'not_applied' | 'unknown'; reason: string }>

/**
 * Changes the membership. Only one change can be under way at a time. Each method resolves when the change is
 * chosen, which is before it is complete.
 */
export interface MemberChanges {
  /** Adds the empty node at an address (host:port) as a member. */
  add(address: string): Promise<ChangeResult>
  /** Replaces a member by the empty node at an address (host:port). */
  replace(nodeId: string, address: string): Promise<ChangeResult>
  /** Removes a member. */
  remove(nodeId: string): Promise<ChangeResult>
}

/** The state of a group after a change. */
export type Change = Readonly<{
  groupId: string
  /** `undefined`: there is no such group any more. */
  group: Group | undefined
  /** The entity tag that was given out last, if it is remembered. */
  lastEtag: string | undefined
}>

export type ChangesListener = Readonly<{
  /**
   * A group has changed. The states of one group come in their order; states in between may be left out, and
   * a state may come again.
   */
  onChange: (change: Change) => void
  /** From now on every change is given out. */
  onCovered: () => void
  /** Changes may have been missed. `onCovered` follows when none are missed any more. */
  onLost: () => void
}>

/** Follows the changes of groups. It asks the copies only while somebody follows. */
export interface Changes {
  follow(listener: ChangesListener): Following
}

/** What one listener follows. */
export interface Following {
  /** Whether every change is given out. */
  readonly isCovered: boolean
  /**
   * A text from which `since` goes on, also in another process: it has everything that was given out so far.
   * `undefined`: there is none yet.
   */
  readonly place: string | undefined
  /**
   * Gives the states of the groups that have changed since a place, until now. What changes from now on is
   * given to the listener.
   *
   * @param give called with a few changes at a time, and again when the returned promise has resolved
   * @returns whether nothing was missed. If not, some changes may have been given all the same
   */
  since(place: string, give: (changes: readonly Change[]) => Promise<void>): Promise<boolean>
  /** Ends it. May be repeated. */
  close(): void
}
