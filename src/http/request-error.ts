import type { ProblemCode } from '../api/problem-codes.ts'
import type { FieldError } from './validation.ts'

export type RequestErrorParts = Readonly<{
  errors?: readonly FieldError[]
  /** Left out where the status says it already: an error without it means that nothing was changed. */
  outcome?: 'not_applied'
}>

/**
 * A request that cannot be served as it is. It is thrown before anything is changed, and answered as a
 * problem with its code.
 */
export class RequestError extends Error {
  readonly code: ProblemCode
  /** The other parts of the problem. */
  readonly parts: RequestErrorParts

  constructor(code: ProblemCode, message: string, parts: RequestErrorParts = {}) {
    super(message)
    this.code = code
    this.parts = parts
  }
}

/** The error `invalid_request`. It names the fields that are wrong. */
export function invalidRequest(errors: readonly FieldError[]): RequestError {
  const message = errors.map((error) => `${error.field} ${error.message}`).join('; ')
  return new RequestError('invalid_request', message, { errors })
}
