/** Judges whether what clients saw of one key can have come from one single copy of a group. */
import { type Call, linearize } from '../../linearizability/linearizability.ts'
import { describeState, GROUP_MODEL, stateOf } from './group-model.ts'
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
  return linearize(GROUP_MODEL, calls).kind
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

function findForeignState(operations: readonly Operation[]): Judgement | undefined {
  const byNumber = new Map(operations.map((operation) => [operation.number, operation]))
  for (const operation of operations) {
    if (operation.group === undefined) continue
    const { creator, writer } = stateOf(operation.group)
    for (const number of [creator, writer]) {
      const { outcome, problem, seen, command } = byNumber.get(number) ?? {}
      const isWriter = command?.kind === 'create' || (command?.kind === 'update' && number === writer)
      const saw = `#${operation.number} was answered "${operation.seen}"`
      if (!isWriter) return { kind: 'violated', reason: `${saw}, which no operation wrote`, operation }
      if (outcome === 'done' || outcome === 'unknown') continue
      const reason = `${saw}, but the answer to #${number} was that it was not done (${problem ?? seen})`
      return { kind: 'violated', reason, operation }
    }
  }
  return undefined
}

/** An ETag must name exactly one state of a key, also over several creates and deletes. */
function findEtagClash(operations: readonly Operation[]): Judgement | undefined {
  const byEtag = new Map<string, Operation>()
  const byState = new Map<string, Operation>()
  for (const operation of operations) {
    const { group, etag, number } = operation
    if (group === undefined || etag === undefined) continue
    const state = describeState(stateOf(group))
    const sameTag = byEtag.get(etag) ?? operation
    if (!isSameGroup(sameTag.group!, group)) {
      const reason = `#${sameTag.number} and #${number} were shown different groups under the same ETag ${etag}`
      return { kind: 'violated', reason, operation }
    }
    const sameState = byState.get(state) ?? operation
    if (sameState.etag !== etag) {
      const reason = `#${sameState.number} and #${number} were shown ${state} under different ETags, ${sameState.etag} and ${etag}`
      return { kind: 'violated', reason, operation }
    }
    byEtag.set(etag, operation)
    byState.set(state, operation)
  }
  return undefined
}

function isSameGroup(a: NonNullable<Operation['group']>, b: NonNullable<Operation['group']>): boolean {
  return (
    describeState(stateOf(a)) === describeState(stateOf(b)) &&
    a.groupId === b.groupId &&
    a.createdAt === b.createdAt &&
    a.updatedAt === b.updatedAt
  )
}
