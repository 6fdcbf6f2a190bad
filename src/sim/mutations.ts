/**
 * Versions of the protocol with one broken rule each. The checkers must notice each of them. No process that
 * ships can reach any of this code.
 */
import { isConfirmed } from '../membership/confirmation.ts'
import { answer, EMPTY_RECORD, onAccept, onLearn } from '../register/acceptor.ts'
import { compareBallots, maxBallot } from '../register/ballot.ts'
import { onDamaged } from '../register/damage.ts'
import { knownChosen } from '../register/known-chosen.ts'
import { judge } from '../register/operation.ts'
import { quorumsOf } from '../register/quorum.ts'
import { findRemovable } from '../register/removal.ts'
import {
  asIfIn,
  asStub,
  compareWriters,
  recoverBy,
  resize,
  wholeOf,
  withAnswers,
  withBelief,
  withDamage,
  withJoint,
  withMembership,
  withoutLowest,
  withRemoval,
  withRules,
  withTransfer,
} from './broken-protocol.ts'
import {
  CHANGING,
  DAMAGED,
  FIVE_NODES,
  HANDOVERS,
  INVENTING,
  LATE,
  LONG,
  REMOVAL,
  SHRINKING,
  THREE_NODES,
  VIEWS,
} from './mutation-profiles.ts'
import { PROTOCOL, type Protocol } from './protocol.ts'
import { type Profile, STABLE } from './small/profile.ts'

export type Mutation = Readonly<{
  /** The rule that is broken, as a sentence. */
  name: string
  protocol: Protocol
  /** The worlds in which the tests look for it. */
  profile: Profile
  /** The first seed with which they find it. */
  seed: number
  /** The checkers must find it with one of the seeds from 1 to this number. */
  seedsMax: number
}>

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the fast quorum is one too small',
    protocol: {
      ...PROTOCOL,
      quorumsOf: (n) => resize(quorumsOf(n), ({ fast }) => ({ fast: fast - 1 })),
    },
    profile: STABLE,
    seed: 1,
    seedsMax: 2_000,
  },
  {
    name: 'the classic quorum is one too small',
    protocol: {
      ...PROTOCOL,
      quorumsOf: (n) => resize(quorumsOf(n), ({ classic }) => ({ classic: classic - 1 })),
    },
    profile: STABLE,
    seed: 7,
    seedsMax: 2_000,
  },
  {
    name: 'recovery takes the state with the fewest votes',
    protocol: withRules({ recoverBase: (promises) => recoverBy(promises, (a, b) => a.count - b.count) }),
    profile: FIVE_NODES,
    seed: 25,
    seedsMax: 20_000,
  },
  {
    name: 'recovery takes any candidate, however many votes it has',
    protocol: withRules({
      recoverBase: (promises) => recoverBy(promises, (a, b) => compareWriters(a.state, b.state)),
    }),
    profile: FIVE_NODES,
    seed: 25,
    seedsMax: 20_000,
  },
  {
    name: 'a read trusts fast votes below the fast quorum',
    protocol: withRules({
      knownChosen: (records, quorums) =>
        knownChosen(
          records,
          resize(quorums, ({ classic }) => ({ fast: classic })),
        ),
    }),
    profile: THREE_NODES,
    seed: 12,
    seedsMax: 2_000,
  },
  {
    name: 'a node accepts below its promise',
    protocol: {
      ...PROTOCOL,
      answer(record, request) {
        if (request.kind !== 'accept') return answer(record, request)
        const { accepted, promised } = record
        const isBelow = compareBallots(request.ballot, promised) < 0
        if (!isBelow || (accepted !== undefined && compareBallots(request.ballot, accepted) <= 0))
          return onAccept(record, request)
        const { ballot, state, next } = request
        return {
          ok: true,
          record: {
            promised: maxBallot(next, promised),
            accepted: ballot,
            state,
            chosen: false,
            isStub: false,
          },
        }
      },
    },
    profile: STABLE,
    seed: 9,
    seedsMax: 2_000,
  },
  {
    name: 'a promise is forgotten in a crash',
    protocol: { ...PROTOCOL, isSavedAtOnce: ({ kind }) => kind !== 'mark' && kind !== 'prepare' },
    profile: STABLE,
    seed: 10,
    seedsMax: 5_000,
  },
  {
    name: 'answers leave before the fsync',
    protocol: { ...PROTOCOL, isSavedAtOnce: () => false },
    profile: STABLE,
    seed: 1,
    seedsMax: 2_000,
  },
  {
    name: 'a retry runs again although it happened',
    protocol: withRules({ judge: () => ({ kind: 'not_happened' }) }),
    profile: STABLE,
    seed: 1,
    seedsMax: 2_000,
  },
  {
    name: 'a retry trusts a lineage that is too short to tell',
    protocol: withRules({
      judge(attempts, base) {
        const verdict = judge(attempts, base)
        return verdict.kind === 'unknown' ? { kind: 'not_happened' } : verdict
      },
    }),
    profile: LONG,
    seed: 302,
    seedsMax: 2_000,
  },
  {
    name: 'a retry forgets the writeId of the attempt before',
    protocol: withRules({ remember: (_attempts, attempt) => [attempt] }),
    profile: STABLE,
    seed: 194,
    seedsMax: 20_000,
  },
  {
    name: 'a state is learned that one node has accepted and nobody has chosen',
    protocol: withRules({ isQuorum: (voters) => voters !== 0 }),
    profile: STABLE,
    seed: 1,
    seedsMax: 2_000,
  },
  {
    name: 'a tombstone is removed in one step',
    protocol: withAnswers((record, request) => {
      const given = answer(record, request)
      return request.kind === 'stub' && given.record.isStub ? { ok: true, record: EMPTY_RECORD } : given
    }),
    profile: REMOVAL,
    seed: 2,
    seedsMax: 2_000,
  },
  {
    name: 'a stub forgets its promise',
    protocol: withAnswers((record, request) => {
      const given = answer(record, request)
      if (request.kind !== 'stub' || !given.record.isStub) return given
      return { ok: true, record: { ...EMPTY_RECORD, isStub: true } }
    }),
    profile: REMOVAL,
    seed: 2,
    seedsMax: 2_000,
  },
  {
    name: 'a drop does not look at the promise',
    protocol: withAnswers((record, request) =>
      request.kind === 'drop' && record.isStub ? { ok: true, record: EMPTY_RECORD } : answer(record, request),
    ),
    profile: REMOVAL,
    seed: 133,
    seedsMax: 5_000,
  },
  {
    name: 'what was only prepared is dropped like a stub',
    protocol: withRemoval(
      { find: (records) => findRemovable(wholeOf(records).map(asStub)) },
      withAnswers((record, request) => answer(asStub(record), request)),
    ),
    profile: REMOVAL,
    seed: 22,
    seedsMax: 5_000,
  },
  {
    name: 'no grace time passes before a stub',
    protocol: withRemoval({ waits: ({ kind }) => kind === 'stubs' }),
    profile: REMOVAL,
    seed: 74,
    seedsMax: 5_000,
  },
  {
    name: 'no grace time passes before a drop',
    protocol: withRemoval({ waits: ({ kind }) => kind === 'tombstone' }),
    profile: REMOVAL,
    seed: 66,
    seedsMax: 5_000,
  },
  {
    name: 'views outlive the grace time',
    protocol: withRemoval({ viewsDie: false }),
    profile: REMOVAL,
    seed: 50,
    seedsMax: 5_000,
  },
  {
    name: 'a tombstone is removed on the word of a quorum',
    protocol: withRemoval({ find: (records) => findRemovable(withoutLowest(wholeOf(records))) }),
    profile: REMOVAL,
    seed: 47,
    seedsMax: 5_000,
  },
  {
    name: 'a joint epoch ends before its keys are sealed',
    protocol: withTransfer({ begin: () => ({ kind: 'done' }) }),
    profile: HANDOVERS,
    seed: 505,
    seedsMax: 5_000,
  },
  {
    name: 'a joint epoch needs only a quorum of the new members',
    protocol: withJoint(({ current, ...rest }) => ({ ...rest, current: { ...current, classic: 0 } })),
    profile: CHANGING,
    seed: 4,
    seedsMax: 1_000,
  },
  {
    name: 'a joint epoch needs only a quorum of the old members',
    protocol: withJoint(({ incoming, ...rest }) => ({ ...rest, incoming: { ...incoming!, classic: 0 } })),
    profile: CHANGING,
    seed: 3,
    seedsMax: 1_000,
  },
  {
    name: 'fast votes of the old members are counted among the new ones',
    protocol: withJoint(({ current, incoming, n }) => ({ n, current: incoming!, incoming: current })),
    profile: SHRINKING,
    seed: 43,
    seedsMax: 5_000,
  },
  {
    name: 'a node acts on messages of an epoch that is over',
    protocol: withMembership({
      isMeantFor: (node, recipient) =>
        node.membership !== undefined && recipient.epoch <= node.membership.epoch,
    }),
    profile: LATE,
    seed: 206,
    seedsMax: 5_000,
  },
  {
    name: 'views outlive their epoch',
    protocol: withMembership({ viewsEnd: false }),
    profile: VIEWS,
    seed: 24,
    seedsMax: 2_000,
  },
  {
    name: 'an operation forgets at the end of an epoch what was sent for it',
    protocol: withMembership({ attemptsGoOn: false }),
    profile: CHANGING,
    seed: 2,
    seedsMax: 1_000,
  },
  {
    name: 'a change begins although too few of the members that stay answer',
    protocol: withMembership({ requireSpare: (plan) => plan }),
    profile: { ...SHRINKING, weights: { 'lose disk': 0.05 } },
    seed: 324,
    seedsMax: 2_000,
  },
  {
    name: 'a new node takes the place of an old one at once, with no joint epoch',
    protocol: withMembership({ begin: ({ outgoing: _, ...next }) => next }),
    profile: HANDOVERS,
    seed: 77,
    seedsMax: 2_000,
  },
  {
    name: 'a newer membership is believed that one node reports',
    protocol: withBelief(() => true),
    profile: INVENTING,
    seed: 1,
    seedsMax: 2_000,
  },
  {
    name: 'a node in a later epoch confirms whatever is said of an earlier one',
    protocol: withBelief((newer, older, claims) => isConfirmed(newer, older, asIfIn(newer, claims))),
    profile: INVENTING,
    seed: 3122,
    seedsMax: 20_000,
  },
  {
    name: 'a damaged record still votes',
    protocol: withDamage({ answer: (_damage, request) => answer(EMPTY_RECORD, request) }),
    profile: DAMAGED,
    seed: 2,
    seedsMax: 2_000,
  },
  {
    name: 'whatever is chosen heals a damaged record',
    protocol: withDamage({
      answer: (_damage, request) => (request.kind === 'learn' ? onLearn(EMPTY_RECORD, request) : undefined),
    }),
    profile: DAMAGED,
    seed: 432,
    seedsMax: 20_000,
  },
  {
    name: 'a damaged record heals one round too early',
    protocol: withDamage({
      answer: ({ promiseBound }, request) => onDamaged({ promiseBound: promiseBound - 2 }, request),
    }),
    profile: DAMAGED,
    seed: 432,
    seedsMax: 20_000,
  },
  {
    name: 'what heals an earlier damage heals a later one',
    protocol: withDamage({ tell: (promiseBound, before) => before ?? { promiseBound } }),
    profile: DAMAGED,
    seed: 385,
    seedsMax: 20_000,
  },
  {
    name: 'a node forgets in a crash how far it has promised',
    protocol: withDamage({ isBoundSaved: false }),
    profile: DAMAGED,
    seed: 437,
    seedsMax: 20_000,
  },
]
