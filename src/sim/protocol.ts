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
 * The protocol as simulated processes follow it: all of it is the code that ships, and each part can be
 * exchanged for a broken one to see whether the checkers notice.
 */
export type Protocol = Readonly<{
  rules: typeof RULES
  quorumsOf: typeof quorumsOf
  answer: typeof answer
  damage: DamageRules
  /**
   * Whether what a request changed is durable before its answer leaves. If not, it is some time later, or
   * never.
   */
  isSavedAtOnce: (request: Request) => boolean
  /** Which state background repair takes for chosen. */
  knownToRepair: typeof knownChosen
  /** Whether background repair runs a round for what the records do not tell. */
  doesRepairSettle: boolean
  /** What a record adds to the digest of its leaf. */
  digestOf: typeof digestOf
  removal: Removal
  membership: MembershipRules
}>

/** The rules of damaged records (protocol.md §9). */
export type DamageRules = Readonly<{
  /** What a node makes of a request about a damaged record. */
  answer: typeof onDamaged
  /** The promise bound that a node stores with a record. */
  boundFor: (bound: number, record: KeyRecord) => number
  /** Whether the bound is durable before the answer with the record leaves. */
  isBoundSaved: boolean
  /** What a node tells of a damage, by its bound and by what it told of the one before. */
  tell: (bound: number, before: Damage | undefined) => Damage
}>

/** The rules of removing tombstones (protocol.md §6). */
export type Removal = Readonly<{
  find: typeof findRemovable
  isSame: typeof isSameFinding
  requests: typeof removalRequests
  /** Whether a grace time must pass, and all nodes report the same again, before a step. */
  waits: (finding: Finding) => boolean
  /** Whether what was read before the grace time began is not used after its end. */
  viewsDie: boolean
}>

/** The rules of changing the membership (protocol.md §7): those of connectors, and those of nodes. */
export type MembershipRules = ConnectorRules &
  Readonly<{
    /** The epoch that a planned change begins with. */
    begin: (planned: Membership) => Membership
    /** What a node does that is shown a membership. */
    adoptionOf: typeof adoptionOf
    /** Whether a node acts on a message. */
    isMeantFor: typeof isMeantFor
    /** Whether a node lists its keys for the transfer of an epoch. */
    mayBeListed: typeof isMeantFor
    /**
     * When the epoch that a node has adopted is durable: before it acts in it, with the next record that it
     * saves, or never.
     */
    adoptionIsSaved: 'at once' | 'with a record' | 'never'
    /** Whether what was learned in one epoch is forgotten in the next. */
    viewsEnd: boolean
    /** Whether an operation takes what was sent for it along into the next epoch. */
    attemptsGoOn: boolean
  }>

/** Marks are hints: they get no fsync of their own (protocol.md §3). */
export const PROTOCOL: Protocol = {
  rules: RULES,
  quorumsOf,
  answer,
  damage: {
    answer: onDamaged,
    // The tightest bound there may be.
    boundFor: (bound, record) => promiseBoundFor(bound, record, 0),
    isBoundSaved: true,
    tell: (promiseBound) => ({ promiseBound }),
  },
  isSavedAtOnce: ({ kind }) => kind !== 'mark',
  knownToRepair: knownChosen,
  doesRepairSettle: true,
  digestOf,
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
    adoptionOf,
    isMeantFor,
    mayBeListed: isMeantFor,
    transfer: { mayList, begin: beginTransfer, afterRound, afterAnswer },
    adoptionIsSaved: 'at once',
    viewsEnd: true,
    attemptsGoOn: true,
  },
}
