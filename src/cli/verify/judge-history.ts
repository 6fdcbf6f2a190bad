/** Judges whether what clients saw of one group and its members can have come from one single copy. */
import { describeGroup, describeMember, GROUP_LIFE_MODEL } from '../../linearizability/group-life.ts'
import { type Call, linearize } from '../../linearizability/linearizability.ts'
import { groupStateOf, memberStateOf } from './content.ts'
import type { Operation } from './operation.ts'

/**
 * `violated`: `reason` is a sentence about `operation`, the first operation whose answer cannot be explained.
 */
export type Judgement =
  | Readonly<{ kind: 'linearizable' | 'undecided' }>
  | Readonly<{ kind: 'violated'; reason: string; operation: Operation }>

/**
 * Judges the operations of one key. They may be given in any order, but must be all operations that were
 * sent.
 *
 * It first makes two simple checks: every state was written by an operation of the run, and every ETag
 * belongs to exactly one state. Then it looks for an order of all operations that explains every answer. An
 * `unknown` operation may have happened at any time after its call, or never. A `not_applied` one must not
 * have happened.
 */
export function judgeHistory(operations: readonly Operation[]): Judgement {
  const byAnswer = operations.toSorted((a, b) => a.answeredAt - b.answeredAt)
  const plain = findForeignState(byAnswer) ?? findEtagClash(byAnswer)
  if (plain !== undefined) return plain
  const kind = explain(byAnswer, Number.POSITIVE_INFINITY)
  if (kind === 'found') return { kind: 'linearizable' }
  if (kind === 'undecided') return { kind: 'undecided' }
  const operation = firstUnexplained(byAnswer)
  const reason = `no order of the operations explains that #${operation.number} was answered "${operation.seen}"`
  return { kind: 'violated', reason, operation }
}

/**
 * Looks for an order with the answers until `untilAt`. Operations that were answered later count as unknown.
 */
function explain(operations: readonly Operation[], untilAt: number): 'found' | 'none' | 'undecided' {
  const calls: Call<Operation, string>[] = []
  for (const operation of operations) {
    const { seen, calledAt, answeredAt, outcome } = operation
    if (calledAt > untilAt) continue
    if (seen !== undefined && answeredAt <= untilAt) {
      calls.push({ call: operation, calledAt, returned: { at: answeredAt, result: seen } })
    } else if (outcome === 'done' || outcome === 'unknown') {
      calls.push({ call: operation, calledAt, returned: undefined })
    }
  }
  return linearize(GROUP_LIFE_MODEL, calls).kind
}

/**
 * The first answer that cannot be explained. Later answers cannot explain it, so a binary search finds it.
 */
function firstUnexplained(byAnswer: readonly Operation[]): Operation {
  const answered = byAnswer.filter(({ seen }) => seen !== undefined)
  let low = 0
  let high = answered.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (explain(byAnswer, answered[middle]!.answeredAt) === 'none') high = middle
    else low = middle + 1
  }
  return answered[low]!
}

/** What an answer shows of a group or a member. */
type Shown = Readonly<{
  /** Of whom it is a state: `` is the group. */
  whose: string
  /** The state as text. */
  state: string
  /** The operations that wrote it, and whether each may be one of this kind. */
  writers: readonly Readonly<{ number: number; kinds: readonly string[] }>[]
  /** The times in it. Together with the state, they are all that an answer shows. */
  times: string
}>

function shownBy({ group, member }: Operation): Shown | undefined {
  if (member !== undefined) {
    const state = memberStateOf(member)
    return {
      whose: member.memberId,
      state: describeMember(state),
      writers: [{ number: state.writer, kinds: ['add', 'put'] }],
      times: `${member.addedAt} ${member.updatedAt}`,
    }
  }
  if (group === undefined) return undefined
  const state = groupStateOf(group)
  return {
    whose: '',
    state: describeGroup(state),
    writers: [
      { number: state.creator, kinds: ['create'] },
      { number: state.writer, kinds: ['create', 'update'] },
    ],
    times: `${group.createdAt} ${group.updatedAt}`,
  }
}

function findForeignState(operations: readonly Operation[]): Judgement | undefined {
  const byNumber = new Map(operations.map((operation) => [operation.number, operation]))
  for (const operation of operations) {
    const { whose, writers = [] } = shownBy(operation) ?? {}
    for (const { number, kinds } of writers) {
      const writer = byNumber.get(number)
      const { outcome, problem, seen, command } = writer ?? {}
      const isWriter =
        command !== undefined &&
        kinds.includes(command.kind) &&
        whose === ('memberId' in command ? command.memberId : '')
      const saw = `#${operation.number} was answered "${operation.seen}"`
      if (!isWriter) return { kind: 'violated', reason: `${saw}, which no operation wrote`, operation }
      if (outcome === 'done' || outcome === 'unknown') continue
      const reason = `${saw}, but the answer to #${number} was that it was not done (${problem ?? seen})`
      return { kind: 'violated', reason, operation }
    }
  }
  return undefined
}

/** An ETag must name exactly one state of a group or a member, also over several creates and deletes. */
function findEtagClash(operations: readonly Operation[]): Judgement | undefined {
  type Seen = Readonly<{ operation: Operation; shown: Shown }>
  const byEtag = new Map<string, Seen>()
  const byState = new Map<string, Seen>()
  for (const operation of operations) {
    const { etag, number } = operation
    const shown = shownBy(operation)
    if (shown === undefined || etag === undefined) continue
    const { whose, state, times } = shown
    const here = { operation, shown }
    const tag = `${whose} ${etag}`
    const sameTag = byEtag.get(tag) ?? here
    if (sameTag.shown.state !== state || sameTag.shown.times !== times) {
      const reason = `#${sameTag.operation.number} and #${number} were shown different states under the same ETag ${etag}`
      return { kind: 'violated', reason, operation }
    }
    const sameState = byState.get(`${whose} ${state}`) ?? here
    if (sameState.operation.etag !== etag) {
      const reason = `#${sameState.operation.number} and #${number} were shown ${state} under different ETags, ${sameState.operation.etag} and ${etag}`
      return { kind: 'violated', reason, operation }
    }
    byEtag.set(tag, here)
    byState.set(`${whose} ${state}`, here)
  }
  return undefined
}
