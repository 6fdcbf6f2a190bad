import fc from 'fast-check'
import { type Ballot, compareBallots, PROPOSER_ID_MAX, ROUND_MAX } from '../register/ballot.ts'
import { TOMBSTONE_GRACE_MS_MAX, TOMBSTONE_GRACE_MS_MIN } from '../register/grace-time.ts'
import type { KeyRecord, Request } from '../register/messages.ts'
import { ABSENT, GENERATION_MAX, LINEAGE_LENGTH, type State } from '../register/state.ts'
import { EPOCH_MAX } from '../rpc/limits.ts'
import type { KeyedRequest, Membership } from '../rpc/messages.ts'

/** For tests: every value that the contract allows, the edges of the integers included. */

/** An ordinary object: fast-check's own may have no prototype, which `deepEqual` does not accept. */
export function plain<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true })
}

export const anyCount = fc.oneof(
  fc.integer({ min: 1, max: 1000 }),
  fc.constantFrom(127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
  fc.maxSafeNat().filter((count) => count > 0),
)

const anyProposerId = anyCount.map((count) => ((count - 1) % PROPOSER_ID_MAX) + 1)

/** A number up to `max`, and often `max` itself. */
function upTo(max: number): fc.Arbitrary<number> {
  return fc.oneof(
    fc.constant(max),
    anyCount.map((count) => ((count - 1) % max) + 1),
  )
}

export const anyBallot: fc.Arbitrary<Ballot> = plain({
  round: upTo(ROUND_MAX),
  proposerId: fc.oneof(fc.constant(0), anyProposerId),
})

const anyWriteId = plain({ proposerId: anyProposerId, sequence: anyCount })

const anyWrittenState: fc.Arbitrary<State> = plain({
  lineage: fc.array(anyWriteId, { minLength: 1, maxLength: LINEAGE_LENGTH }),
  older: fc.oneof(fc.constant(0), anyCount),
  value: fc.option(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    { nil: undefined },
  ),
}).map(({ lineage, older, value }) => {
  const isFull = lineage.length === LINEAGE_LENGTH
  const generation = isFull ? Math.min(LINEAGE_LENGTH + older, GENERATION_MAX) : lineage.length
  return { generation, writeId: lineage.at(-1)!, lineage, value }
})

export const anyState: fc.Arbitrary<State> = fc.oneof(fc.constant(ABSENT), anyWrittenState)

/** Two ballots, the lower one first. */
const anyBallots = fc
  .tuple(anyBallot, anyBallot)
  .filter(([a, b]) => compareBallots(a, b) !== 0)
  .map(([a, b]) => (compareBallots(a, b) < 0 ? ([a, b] as const) : ([b, a] as const)))

export const anyRecord: fc.Arbitrary<KeyRecord> = fc.oneof(
  plain({ promised: anyBallot, isStub: fc.boolean() }).map(({ promised, isStub }) => ({
    promised,
    accepted: undefined,
    state: ABSENT,
    chosen: false,
    isStub,
  })),
  plain({ ballots: anyBallots, state: anyState, chosen: fc.boolean() }).map(
    ({ ballots: [accepted, promised], state, chosen }) => ({
      promised,
      accepted,
      state,
      chosen,
      isStub: false,
    }),
  ),
)

export const anyRequest: fc.Arbitrary<Request> = fc.oneof(
  plain({ kind: fc.constant('prepare' as const), ballot: anyBallot }),
  plain({
    kind: fc.constantFrom('accept' as const, 'learn' as const),
    ballots: anyBallots,
    state: anyState,
  }).map(({ kind, ballots: [ballot, next], state }) => ({ kind, ballot, state, next })),
  plain({
    kind: fc.constantFrom('mark' as const, 'stub' as const),
    ballot: anyBallot,
    writeId: fc.oneof(fc.constant(ABSENT.writeId), anyWriteId),
  }),
  plain({ kind: fc.constant('drop' as const), promised: anyBallot }),
  fc.constant({ kind: 'read' as const }),
)

/** A well-formed text of any characters but NUL. */
const anyText = fc.string({ unit: 'grapheme', maxLength: 200 }).filter((text) => !text.includes('\0'))

export const anyKey = fc
  .tuple(
    fc.constantFrom('group/', 'cluster/'),
    fc.oneof(anyText, fc.constant('\ufffd'), fc.constant('😀'.repeat(100))),
  )
  .map(([namespace, name]) => namespace + name)

export const anyKeyedRequest: fc.Arbitrary<KeyedRequest> = plain({ key: anyKey, request: anyRequest })

const anyAddress = fc
  .tuple(
    fc.oneof(fc.domain(), fc.ipV4(), fc.constant('[::1]'), fc.constant('a_b')),
    fc.integer({ min: 1, max: 65_535 }),
  )
  .map(([host, port]) => `${host}:${port}`)

const anyMembers = fc.uniqueArray(plain({ nodeId: fc.uuid(), address: anyAddress }), {
  minLength: 1,
  maxLength: 7,
  selector: ({ nodeId }) => nodeId,
})

const STABLE_MEMBERSHIP = {
  clusterId: fc.uuid(),
  epoch: upTo(EPOCH_MAX),
  members: anyMembers,
  tombstoneGraceMs: fc.integer({ min: TOMBSTONE_GRACE_MS_MIN, max: TOMBSTONE_GRACE_MS_MAX }),
}

const hashSecret = fc.stringMatching(/^[0-9a-f]{16}$/)

export const anyMembership: fc.Arbitrary<Membership> = fc.oneof(
  plain(STABLE_MEMBERSHIP),
  plain({ ...STABLE_MEMBERSHIP, hashSecret }),
  plain({ ...STABLE_MEMBERSHIP, outgoing: anyMembers }),
  plain({ ...STABLE_MEMBERSHIP, outgoing: anyMembers, hashSecret }),
)
