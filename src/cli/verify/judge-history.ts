/** Whether what clients saw of one key can have come from one group that all of them shared. */
import { type Call, linearize } from '../../linearizability/linearizability.ts'
import { describeState, GROUP_MODEL, stateOf } from './group-model.ts'
import type { Operation } from './operation.ts'

/** `violated`: `reason` is a sentence about `operation`, the first one whose answer cannot be explained. */
export type Judgement =
  | Readonly<{ kind: 'linearizable' | 'undecided' }>
  | Readonly<{ kind: 'violated'; reason: string; operation: Operation }>

/**
 * Judges the operations of one key, in whichever order they are given. All that were sent must be among them.
 *
 * It first looks at what can be said plainly: who wrote a state, and whether ETags and states belong together
 * one to one. Then it looks for an order of all operations that explains every answer. What is `unknown` may
 * have happened at any time after its call, or never; what was `not_applied` must not have happened at all.
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

/** Looks for an order as the clients knew it at some time: what is answered later is unknown then. */
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
 * What cannot be explained stays so, whatever is answered later: the first such answer is found by halving.
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
      if (!isWriter) return { kind: 'violated', reason: `${saw}, which nobody wrote`, operation }
      if (outcome === 'done' || outcome === 'unknown') continue
      const reason = `${saw}, and #${number} was answered that it was not done (${problem ?? seen})`
      return { kind: 'violated', reason, operation }
    }
  }
  return undefined
}

/** An ETag names one state of a key, over all its lives, with everything that is in it. */
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
