import type { Decision, Operation, Outcome } from '../register/operation.ts'
import type { Value } from '../register/state.ts'
import type { DrivenProposer } from './driven-proposer.ts'

/** An operation that has been submitted and has not ended. */
export interface PendingOperation extends Operation {
  readonly key: string
  readonly needsRound: boolean
  readonly isRead: boolean
  /** When its time is over, by the clock of the process. */
  readonly endsAtMs: number
  /** The proposer that works on it. In another epoch it is another one. */
  proposer: DrivenProposer | undefined
  /** Removes it from the deadlines of the client that works on it. */
  takeOffDeadlines: () => void
  /** Tells the submitter. Only results that its own `decide` made come back here. */
  resolve(outcome: Outcome): void
}

/** The same, with the type of its result. */
interface TypedOperation<R> extends PendingOperation {
  decide(value: Value): Decision<R>
  resolve(outcome: Outcome<R>): void
}

/** `resolve` is called once. */
export function newOperation<R>(
  key: string,
  decide: (value: Value) => Decision<R>,
  { needsRound = false, isRead = false }: Pick<Operation, 'needsRound' | 'isRead'>,
  endsAtMs: number,
  resolve: (outcome: Outcome<R>) => void,
): TypedOperation<R> {
  return {
    key,
    decide,
    needsRound,
    isRead,
    attempts: [],
    endsAtMs,
    proposer: undefined,
    takeOffDeadlines: ignore,
    resolve,
  }
}

function ignore(): void {}
