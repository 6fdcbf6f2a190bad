import { newestConfirmed } from '../membership/confirmation.ts'
import { afterAnswer, afterRound, beginTransfer, mayList } from '../membership/key-transfer.ts'
import { requireSpare } from '../membership/plan-change.ts'
import type { MembershipRules as ConnectorRules } from '../membership/seams.ts'
import { digestOf } from '../node/store/digest-hash.ts'
import { answer } from '../register/acceptor.ts'
import { onDamaged, promiseBoundFor } from '../register/damage.ts'
import { knownChosen } from '../register/known-chosen.ts'
import type { Damage, KeyRecord, Request } from '../register/messages.ts'
import { quorumsOf } from '../register/quorum.ts'
import { type Finding, findRemovable, isSameFinding, removalRequests } from '../register/removal.ts'
import { RULES } from '../register/rules.ts'
import { adoptionOf, isMeantFor } from '../rpc/adoption.ts'
import { quorumsOfMembership } from '../rpc/membership.ts'
import type { Membership } from '../rpc/messages.ts'

/**
 * The protocol as simulated processes follow it: all of it is the code that ships, and tests replace a part
 * by a broken one to see whether the checkers notice.
 */
export type Protocol = Readonly<{
  rules: typeof RULES
  quorumsOf: typeof quorumsOf
  answer: typeof answer
  damage: DamageRules
  /**
   * Whether what a request changed is durable before its answer leaves. If not, the change becomes durable
   * some time later, or never.
   */
  isSavedAtOnce: (request: Request) => boolean
  /** The state that background repair considers chosen. */
  knownToRepair: typeof knownChosen
  /** Whether background repair runs a round when the records do not show which state is chosen. */
  doesRepairSettle: boolean
  /** The value that a record adds to the digest of its leaf. */
  digestOf: typeof digestOf
  /** The nodes that a read must count, of those that have told a key (protocol.md §10). */
  mustCount: (nodeIds: readonly string[]) => readonly string[]
  removal: Removal
  membership: MembershipRules
}>

/** The rules for damaged records (protocol.md §9). */
export type DamageRules = Readonly<{
  /** How a node answers a request about a damaged record. */
  answer: typeof onDamaged
  /** The promise bound that a node stores with a record. */
  boundFor: (bound: number, record: KeyRecord) => number
  /** Whether the bound is durable before the answer with the record leaves. */
  isBoundSaved: boolean
  /**
   * What a node reports about a damage. It depends on the bound and on what the node reported about the
   * damage before.
   */
  tell: (bound: number, before: Damage | undefined) => Damage
}>

/** The rules for the removal of tombstones (protocol.md §6). */
export type Removal = Readonly<{
  find: typeof findRemovable
  isSame: typeof isSameFinding
  requests: typeof removalRequests
  /** Whether a grace time must pass, and all nodes report the same again, before a step. */
  waits: (finding: Finding) => boolean
  /** Whether views that were read before the grace time began are not used after its end. */
  viewsDie: boolean
}>

/** The rules for changes of the membership (protocol.md §7), for connectors and for nodes. */
export type MembershipRules = ConnectorRules &
  Readonly<{
    /** The membership with which a planned change begins. */
    begin: (planned: Membership) => Membership
    /** The newer membership that a connector believes, from what nodes report. */
    newestConfirmed: typeof newestConfirmed
    /** What a node does when it is shown a membership. */
    adoptionOf: typeof adoptionOf
    /** Whether a node acts on a message. */
    isMeantFor: typeof isMeantFor
    /** Whether a node lists its keys for the transfer of an epoch. */
    mayBeListed: typeof isMeantFor
    /**
     * When the epoch that a node has adopted is durable: before the node acts in it, with the next record
     * that the node saves, or never.
     */
    adoptionIsSaved: 'at once' | 'with a record' | 'never'
    /** Whether connectors forget in the next epoch the views of this one. */
    viewsEnd: boolean
    /** Whether an operation still knows in the next epoch what was sent for it in this one. */
    attemptsGoOn: boolean
  }>

/** Marks of chosen states are hints: they get no fsync of their own (protocol.md §3). */
export const PROTOCOL: Protocol = {
  rules: RULES,
  quorumsOf,
  answer,
  damage: {
    answer: onDamaged,
    // The tightest bound that is allowed.
    boundFor: (bound, record) => promiseBoundFor(bound, record, 0),
    isBoundSaved: true,
    tell: (promiseBound) => ({ promiseBound }),
  },
  isSavedAtOnce: ({ kind }) => kind !== 'mark',
  knownToRepair: knownChosen,
  doesRepairSettle: true,
  digestOf,
  mustCount: (nodeIds) => nodeIds,
  removal: {
    find: findRemovable,
    isSame: isSameFinding,
    requests: removalRequests,
    waits: ({ kind }) => kind !== 'old stubs',
    viewsDie: true,
  },
  membership: {
    quorumsOf: quorumsOfMembership,
    begin: (planned) => planned,
    requireSpare,
    newestConfirmed,
    adoptionOf,
    isMeantFor,
    mayBeListed: isMeantFor,
    transfer: { mayList, begin: beginTransfer, afterRound, afterAnswer },
    adoptionIsSaved: 'at once',
    viewsEnd: true,
    attemptsGoOn: true,
  },
}
