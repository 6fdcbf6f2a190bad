import type { ProblemCode } from '../api/problem-codes.ts'
import type { FieldError } from './validation.ts'

/**
 * A request that cannot be served as it is. It is thrown before anything is changed, and answered as a
 * problem with its code.
 */
export class RequestError extends Error {
  readonly code: ProblemCode
  readonly errors: readonly FieldError[] | undefined

  constructor(code: ProblemCode, message: string, errors?: readonly FieldError[]) {
    super(message)
    this.code = code
    this.errors = errors
  }
}

/** The error `invalid_request`. It names the fields that are wrong. */
export function invalidRequest(errors: readonly FieldError[]): RequestError {
  const message = errors.map((error) => `${error.field} ${error.message}`).join('; ')
  return new RequestError('invalid_request', message, errors)
}
