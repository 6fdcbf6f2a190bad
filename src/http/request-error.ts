import type { ProblemCode } from '../api/problem-codes.ts'
import type { FieldError } from './validation.ts'

/**
 * A request that cannot be taken as it is. Thrown before anything is done; answered as a problem of its code.
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

/** `invalid_request`, naming the fields at fault. */
export function invalidRequest(errors: readonly FieldError[]): RequestError {
  const message = errors.map((error) => `${error.field} ${error.message}`).join('; ')
  return new RequestError('invalid_request', message, errors)
}
