/**
 * The protocol with one rule broken, in as many ways as there are rules. Each must be noticed by the
 * checkers; no process can reach any of this.
 */
import { answer, EMPTY_RECORD, onAccept } from '../register/acceptor.ts'
import { compareBallots, maxBallot } from '../register/ballot.ts'
import { candidatesAt, highestAccepted, knownChosen, type Records } from '../register/known-chosen.ts'
import type { KeyRecord } from '../register/messages.ts'
import { judge } from '../register/operation.ts'
import { type Configuration, countNodes, type Quorums, quorumsOf } from '../register/quorum.ts'
import { findRemovable } from '../register/removal.ts'
import { ABSENT, type State } from '../register/state.ts'
import { MEMBERSHIP_MUTATIONS } from './changing/mutations.ts'
import { PROTOCOL, type Protocol } from './protocol.ts'
import { type Profile, STABLE } from './small/schedule.ts'

export type Mutation = Readonly<{
  /** The rule that is broken, as a sentence. */
  name: string
  protocol: Protocol
  /** The worlds in which to look for it. */
  profile: Profile
  /** Within how many seeds it must be found, from 1. */
  seedsMax: number
}>

const THREE_NODES: Profile = { ...STABLE, nodeCounts: [3] }
const FIVE_NODES: Profile = { ...STABLE, nodeCounts: [5] }
/** So many writes that an operation can outlive the lineage. */
const LONG: Profile = {
  ...STABLE,
  nodeCounts: [3],
  connectorCount: [3, 4],
  operationCount: [100, 120],
  stepsPerOperation: [8, 14],
}
/** The membership changes all the time; groups come, go, and are removed meanwhile. */
const CHANGING: Profile = { ...STABLE, changesMax: [1, 2, 4] }
/** Many steps for one or two operations: nothing that a node has to save follows its adoption of an epoch. */
const QUIET: Profile = {
  ...STABLE,
  nodeCounts: [3],
  connectorCount: [2, 3],
  operationCount: [1, 2],
  stepsPerOperation: [30, 60],
  looks: [0],
  changesMax: [1],
  emphases: ['create'],
}
/** Groups come and go, and what is left of them is removed. */
const REMOVAL: Profile = {
  ...THREE_NODES,
  connectorCount: [2, 3],
  operationCount: [6, 14],
  stepsPerOperation: [10, 40],
  looks: [0.3, 1],
  emphases: ['create', 'delete', 'delete'],
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the fast quorum is one too small',
    protocol: {
      ...PROTOCOL,
      quorumsOf: (n) => resize(quorumsOf(n), ({ fast }) => ({ fast: fast - 1 })),
    },
    profile: STABLE,
    seedsMax: 2_000,
  },
  {
    name: 'the classic quorum is one too small',
    protocol: {
      ...PROTOCOL,
      quorumsOf: (n) => resize(quorumsOf(n), ({ classic }) => ({ classic: classic - 1 })),
    },
    profile: STABLE,
    seedsMax: 2_000,
  },
  {
    name: 'recovery takes the state with the fewest votes',
    protocol: withRules({ recoverBase: (promises) => recoverBy(promises, (a, b) => a.count - b.count) }),
    profile: FIVE_NODES,
    seedsMax: 20_000,
  },
  {
    name: 'recovery takes any candidate, however many votes it has',
    protocol: withRules({
      recoverBase: (promises) => recoverBy(promises, (a, b) => compareWriters(a.state, b.state)),
    }),
    profile: FIVE_NODES,
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
    seedsMax: 2_000,
  },
  {
    name: 'a promise is forgotten in a crash',
    protocol: { ...PROTOCOL, isSavedAtOnce: ({ kind }) => kind !== 'mark' && kind !== 'prepare' },
    profile: STABLE,
    seedsMax: 5_000,
  },
  {
    name: 'answers leave before the fsync',
    protocol: { ...PROTOCOL, isSavedAtOnce: () => false },
    profile: STABLE,
    seedsMax: 2_000,
  },
  {
    name: 'a retry runs again although it happened',
    protocol: withRules({ judge: () => ({ kind: 'not_happened' }) }),
    profile: STABLE,
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
    seedsMax: 2_000,
  },
  {
    name: 'a retry forgets the writeId of the attempt before',
    protocol: withRules({ remember: (_attempts, attempt) => [attempt] }),
    profile: STABLE,
    seedsMax: 20_000,
  },
  {
    name: 'a state is learned that one node has accepted and nobody has chosen',
    protocol: withRules({ isQuorum: (voters) => voters !== 0 }),
    profile: STABLE,
    seedsMax: 2_000,
  },
  {
    name: 'a tombstone is removed in one step',
    protocol: withAnswers((record, request) => {
      const given = answer(record, request)
      return request.kind === 'stub' && given.record.isStub ? { ok: true, record: EMPTY_RECORD } : given
    }),
    profile: REMOVAL,
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
    seedsMax: 2_000,
  },
  {
    name: 'a drop does not look at the promise',
    protocol: withAnswers((record, request) =>
      request.kind === 'drop' && record.isStub ? { ok: true, record: EMPTY_RECORD } : answer(record, request),
    ),
    profile: REMOVAL,
    seedsMax: 5_000,
  },
  {
    name: 'what was only prepared is dropped like a stub',
    protocol: withRemoval(
      { find: (records) => findRemovable(records.map(asStub)) },
      withAnswers((record, request) => answer(asStub(record), request)),
    ),
    profile: REMOVAL,
    seedsMax: 5_000,
  },
  {
    name: 'no grace time passes before a stub',
    protocol: withRemoval({ waits: ({ kind }) => kind === 'stubs' }),
    profile: REMOVAL,
    seedsMax: 5_000,
  },
  {
    name: 'no grace time passes before a drop',
    protocol: withRemoval({ waits: ({ kind }) => kind === 'tombstone' }),
    profile: REMOVAL,
    seedsMax: 5_000,
  },
  {
    name: 'views outlive the grace time',
    protocol: withRemoval({ viewsDie: false }),
    profile: REMOVAL,
    seedsMax: 5_000,
  },
  {
    name: 'a tombstone is removed on the word of a quorum',
    protocol: withRemoval({ find: (records) => findRemovable(withoutLowest(records)) }),
    profile: REMOVAL,
    seedsMax: 5_000,
  },
  // In the small world, views never go from one epoch to the next.
  ...MEMBERSHIP_MUTATIONS.filter(({ name }) => name !== 'views outlive their epoch').map(
    ({ name, protocol }) => ({
      name: `${name}, while nodes crash and groups are removed`,
      protocol,
      profile: CHANGING,
      seedsMax: 20_000,
    }),
  ),
  {
    name: 'a new node takes the place of an old one at once, with no joint epoch',
    protocol: withMembership({ begin: ({ outgoing: _, ...next }) => next }),
    profile: CHANGING,
    seedsMax: 2_000,
  },
  {
    name: 'a node forgets in a crash which epoch it has adopted',
    protocol: withMembership({ isAdoptionSaved: false }),
    profile: QUIET,
    seedsMax: 20_000,
  },
]

function withAnswers(answers: Protocol['answer']): Protocol {
  return { ...PROTOCOL, answer: answers }
}

function withRemoval(removal: Partial<Protocol['removal']>, protocol = PROTOCOL): Protocol {
  return { ...protocol, removal: { ...protocol.removal, ...removal } }
}

/** A record that was only prepared looks like a stub. */
function asStub(record: KeyRecord): KeyRecord {
  return record.accepted === undefined && record !== EMPTY_RECORD ? { ...record, isStub: true } : record
}

/** As if the node that has accepted least said what the others say. */
function withoutLowest(records: readonly KeyRecord[]): readonly KeyRecord[] {
  const [highest] = records.toSorted((a, b) => compareBallots(b.promised, a.promised))
  const lowest = records.toSorted((a, b) => (a.accepted?.round ?? 0) - (b.accepted?.round ?? 0))[0]
  return records.map((record) => (record === lowest ? highest! : record))
}

function withMembership(rules: Partial<Protocol['membership']>): Protocol {
  return { ...PROTOCOL, membership: { ...PROTOCOL.membership, ...rules } }
}

function withRules(rules: Partial<Protocol['rules']>): Protocol {
  return { ...PROTOCOL, rules: { ...PROTOCOL.rules, ...rules } }
}

/** The same nodes, with other numbers of them enough. */
function resize(quorums: Quorums, change: (sizes: Configuration) => Partial<Configuration>): Quorums {
  const { current } = quorums
  return { ...quorums, current: { ...current, ...change(current) } }
}

type Tally = { state: State; count: number }

function recoverBy(promises: Records, order: (a: Tally, b: Tally) => number): State {
  const ballot = highestAccepted(promises)
  if (ballot === undefined) return ABSENT
  const tallies = candidatesAt(promises, ballot).map(({ state, voters }) => ({
    state,
    count: countNodes(voters),
  }))
  return tallies.sort(order)[0]!.state
}

function compareWriters(a: State, b: State): number {
  return a.writeId.proposerId - b.writeId.proposerId || a.writeId.sequence - b.writeId.sequence
}
