import type { FastifySchemaValidationError } from 'fastify'
import { INCARNATION, TIME } from '../api/backup-schemas.ts'
import { LIMIT } from './page-query.ts'

/** The query of a request. A parameter that is given twice has an array of texts. */
export type Query = Readonly<{ [parameter: string]: unknown }>

/** One thing that is wrong with a request. */
export type FieldError = Readonly<{ field: string; message: string }>

/** How many errors one answer lists. When there are more, the last one says so. */
const ERRORS_MAX = 16
/** How much of a name that the client made up is repeated to it, in UTF-16 units. */
const NAME_LENGTH_MAX = 80

/** The keyword of the error that stands for all errors that were not collected. */
const MORE = 'more'

/**
 * How ajv checks what clients send. All errors are told, so that a client can mend them at once, but no more
 * than `ERRORS_MAX` are ever collected: a body of 1 MiB can have a million of them. Ajv has no such option,
 * but passes the code of each validator through `process` before it is compiled.
 */
export const AJV_OPTIONS = {
  allErrors: true,
  // A number is no text, and a field that nobody knows is told, not dropped.
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  code: { process: withBoundedErrors },
} as const

/** The code of a validator, changed so that it ends when it would collect one error too many. */
function withBoundedErrors(code: string): string {
  const name = /function (\w+)\(data/.exec(code)?.[1]
  const bounded = code.replaceAll(/\bvErrors\.push\((err\d+)\);/g, (_push, error) =>
    [
      // Only repeats the error of the rule that the name breaks.
      `if(${error}.keyword!=="propertyNames"){`,
      `if(vErrors.length===${ERRORS_MAX - 1}){`,
      `vErrors.push({instancePath:"",schemaPath:"",keyword:"${MORE}",params:{}});`,
      `${name}.errors=vErrors;return false;}`,
      `vErrors.push(${error});}`,
    ].join(''),
  )
  if (name === undefined || (bounded === code && code.includes('.push('))) {
    throw new Error(
      'ajv writes its code in another way than this program knows: its errors would have no bound',
    )
  }
  return bounded
}

/**
 * The errors that the schemas found, by field: `groupId`, `labels`, `labels.team` (what follows the first dot
 * is the label's key), `body` for the body as a whole. At most 16, one for each field and complaint; the last
 * may say that there are more. `query`: what the errors are about, if it is the query.
 */
export function fieldErrors(errors: readonly FastifySchemaValidationError[], query?: Query): FieldError[] {
  return errors.map((error) => fieldErrorOf(error, query))
}

function fieldErrorOf(error: FastifySchemaValidationError, query: Query | undefined): FieldError {
  const { keyword, params } = error
  const path = pathOf(error)
  switch (keyword) {
    case 'required':
      return { field: fieldName([...path, String(params.missingProperty)]), message: 'is required' }
    case 'additionalProperties':
      return {
        field: fieldName([...path, String(params.additionalProperty)]),
        message: 'is not a known field',
      }
    case MORE:
      return { field: query === undefined ? 'body' : 'query', message: 'has more errors than these' }
    case 'type':
      // A parameter is a text, unless it is given more than once.
      if (Array.isArray(query?.[path[0] ?? '']))
        return { field: fieldName(path), message: 'must be given once' }
      return { field: fieldName(path), message: `must be ${typesOf(params)}` }
    default:
      return {
        field: fieldName(path),
        message: MESSAGES[keyword]?.(params) ?? error.message ?? 'is not valid',
      }
  }
}

/** Where the error is. `propertyName` is given when a name is wrong, and not the value that has the name. */
function pathOf(error: FastifySchemaValidationError & { propertyName?: string }): string[] {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  return error.propertyName === undefined ? path : [...path, error.propertyName]
}

function fieldName(path: readonly string[]): string {
  if (path.length === 0) return 'body'
  const name = path.join('.')
  return name.length <= NAME_LENGTH_MAX ? name : `${name.slice(0, NAME_LENGTH_MAX)}…`
}

const PATTERNS: { readonly [pattern: string]: string } = {
  [INCARNATION]: 'must be of visible ASCII characters but "',
  [LIMIT]: 'must be a whole number from 1 to 1000',
  [TIME]: 'must be a time in UTC with milliseconds, like 2026-01-15T09:30:00.000Z',
}

const MESSAGES: { [keyword: string]: (params: Record<string, unknown>) => string } = {
  minLength: ({ limit }) => `must have at least ${limit} character${limit === 1 ? '' : 's'}`,
  maxLength: ({ limit }) => `must have at most ${limit} characters`,
  maxProperties: ({ limit }) => `must have at most ${limit} entries`,
  minItems: ({ limit }) => `must have at least ${limit} ${limit === 1 ? 'entry' : 'entries'}`,
  maxItems: ({ limit }) => `must have at most ${limit} entries`,
  pattern: ({ pattern }) =>
    PATTERNS[String(pattern)] ?? 'must not have control characters or lone surrogates',
}

function typesOf({ type }: Record<string, unknown>): string {
  return [type].flat().map(String).map(article).join(' or ')
}

function article(type: string): string {
  if (type === 'null') return type
  return type === 'object' || type === 'array' ? `an ${type}` : `a ${type}`
}
