import type { ProblemCode } from './types.ts'

/** A field of a request that is wrong. */
export type FieldError = Readonly<{ field: string; message: string }>

/**
 * An error of the API (RFC 9457). `unexpected_answer`: the answer is no problem document, so another server
 * has sent it, a proxy for example.
 */
export type Problem<Code extends string = ProblemCode> = Readonly<{
  status: number
  /** Decide by it. It never changes its meaning. */
  code: Code | 'unexpected_answer'
  /** For people, as `detail` is. Their words may change. */
  title: string
  detail: string | undefined
  outcome: 'not_applied' | 'unknown' | undefined
  /** The fields that are wrong, at most 16. */
  errors: readonly FieldError[]
  /** By which the connector's log names the request. */
  requestId: string | undefined
}>

/** Reads an error answer of any form: of a connector, or of a proxy in front of it. */
export function problemIn(status: number, text: string): Problem {
  const { code, title, detail, outcome, errors, requestId } = objectIn(text)
  return {
    status,
    // A code that this version does not know is given as it is: its status says what to do.
    code: typeof code === 'string' ? (code as ProblemCode) : 'unexpected_answer',
    title: textOr(title, `HTTP status ${status}`),
    detail: textOr(detail, undefined),
    outcome: outcome === 'not_applied' || outcome === 'unknown' ? outcome : undefined,
    errors: Array.isArray(errors) ? errors.flatMap(fieldErrorIn) : [],
    requestId: textOr(requestId, undefined),
  }
}

function textOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === 'string' ? value : otherwise
}

function fieldErrorIn(error: unknown): FieldError[] {
  if (typeof error !== 'object' || error === null) return []
  const { field, message } = error as { field?: unknown; message?: unknown }
  return typeof field === 'string' && typeof message === 'string' ? [{ field, message }] : []
}

function objectIn(text: string): { [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as { [name: string]: unknown }) : {}
  } catch {
    return {}
  }
}
