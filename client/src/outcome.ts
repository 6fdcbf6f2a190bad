/** How a call ended. */
import type { Problem } from './problem.ts'
import type { OperationId, ProblemCode, RefusalCode, ValueOf } from './types.ts'

/** The operation was made. */
export type Done<T> = Readonly<{
  outcome: 'done'
  status: number
  value: T
  /** The ETag of what the answer shows, for `ifMatch`. */
  etag: string | undefined
  /** Whether the group had made this request before, and knows it by its idempotency key. */
  isReplayed: boolean
  /** The body of the answer, as it came. */
  text: string
  /** The connector that answered. */
  url: string
}>

/** The API does not do it. Nothing was changed, and the same request would be refused again. */
export type Refused<Code extends string = ProblemCode> = Readonly<{
  outcome: 'refused'
  problem: Problem<Code>
  text: string
  url: string
}>

/** Nothing was changed, and nothing will be. The same request may succeed later. */
export type NotApplied = Readonly<{ outcome: 'not_applied'; cause: Cause; url: string }>

/**
 * The change may have been made, or may still be made. Read before you repeat it, or repeat it with the same
 * idempotency key.
 */
export type Unknown = Readonly<{
  outcome: 'unknown'
  cause: Cause
  url: string
  /**
   * A repetition of the request was refused so. It says what the state is now, and not who made it: a delete
   * that is repeated after a lost answer finds nothing to delete, for example.
   */
  refusal?: Problem
}>

/** Why there is no success. */
export type Cause =
  | Readonly<{ kind: 'problem'; problem: Problem; text: string }>
  /** There was no connection, so nothing was sent. */
  | Readonly<{ kind: 'unsent'; failure: ConnectFailure; message: string }>
  /** The request was sent, and no whole answer came. */
  | Readonly<{ kind: 'unanswered'; failure: AnswerFailure; message: string }>

export type ConnectFailure =
  | 'connection_refused'
  | 'no_such_host'
  | 'connect_timeout'
  /** The other side has no certificate that this client trusts, for example. */
  | 'tls'
  | 'closed_client'
  | 'other'

export type AnswerFailure =
  | 'connection_broken'
  | 'answer_timeout'
  | 'answer_not_json'
  | 'answer_not_http'
  | 'other'

/** How a change ended. */
export type Outcome<T, Code extends string = ProblemCode> = Done<T> | Refused<Code> | NotApplied | Unknown

/** How a read ended. A read changes nothing, so its outcome is never unknown. */
export type ReadOutcome<T, Code extends string = ProblemCode> = Done<T> | Refused<Code> | NotApplied

/** How a change of the API ended. */
export type ChangeOf<O extends OperationId> = Outcome<ValueOf<O>, RefusalCode<O>>

/** How a read of the API ended. */
export type ReadOf<O extends OperationId> = ReadOutcome<ValueOf<O>, RefusalCode<O>>

/** What `expectDone`, lists and watches throw. `outcome` says all that is known. */
export class CohortError extends Error {
  override readonly name = 'CohortError'
  readonly outcome: Refused | NotApplied | Unknown

  constructor(outcome: Refused | NotApplied | Unknown) {
    super(describeOutcome(outcome))
    this.outcome = outcome
  }
}

/** The value of a call that is done. @throws CohortError when it is not done */
export function expectDone<T>(outcome: Outcome<T, string>): T {
  if (outcome.outcome === 'done') return outcome.value
  throw new CohortError(outcome as Refused | NotApplied | Unknown)
}

function describeOutcome(outcome: Refused | NotApplied | Unknown): string {
  const { url } = outcome
  if (outcome.outcome === 'refused') return `${describeProblem(outcome.problem)}, at ${url}`
  const { cause } = outcome
  const why = cause.kind === 'problem' ? describeProblem(cause.problem) : cause.message
  const what = outcome.outcome === 'unknown' ? 'the change may have been made' : 'nothing was changed'
  return `${why}, at ${url}: ${what}`
}

function describeProblem({ status, code, title, detail }: Problem): string {
  return `${detail ?? title} (${status} ${code})`
}
