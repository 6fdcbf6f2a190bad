import type { FastifySchemaValidationError } from 'fastify'
import { KEY_ID } from '../access/key-token.ts'
import { INCARNATION, TIME } from '../api/backup-schemas.ts'
import { MEMBER_CURSOR } from '../api/member-backup-schemas.ts'
import { LIMIT } from './page-query.ts'
import { FIELDS } from './v1/group/list-query.ts'

/** The query of a request. A parameter that is given twice is an array of texts. */
export type Query = Readonly<{ [parameter: string]: unknown }>

/** One thing that is wrong with a request. */
export type FieldError = Readonly<{ field: string; message: string }>

/** How many errors one answer lists. When there are more, the last one says so. */
export const ERRORS_MAX = 16

/** How much of a name that the client has sent is repeated in an error, in UTF-16 units. */
const NAME_LENGTH_MAX = 80

/** The keyword of the last error, which says that there are more. */
const MORE = 'more'

/**
 * How ajv checks requests. A client gets all errors at once, but at most `ERRORS_MAX` are collected, because
 * a body of 1 MiB can have a million errors. Ajv has no option for that, but it passes the code of each
 * validator through `process` before it compiles the code.
 */
export const AJV_OPTIONS = {
  allErrors: true,
  // A number is not accepted as a text, and an unknown field is an error, and not dropped.
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  // It would compile the schema of all schemas at the first request. The schemas are part of the OpenAPI
  // document, which a test checks.
  validateSchema: false,
  code: { process: withBoundedErrors },
} as const

/** The code of a validator, changed so that it stops before it collects more than `ERRORS_MAX` errors. */
function withBoundedErrors(code: string): string {
  const name = /function (\w+)\(data/.exec(code)?.[1]
  const bounded = code.replaceAll(/\bvErrors\.push\((err\d+)\);/g, (_push, error) =>
    [
      // Such an error only repeats the error about the name itself.
      `if(${error}.keyword!=="propertyNames"){`,
      `if(vErrors.length===${ERRORS_MAX - 1}){`,
      `vErrors.push({instancePath:"",schemaPath:"",keyword:"${MORE}",params:{}});`,
      `${name}.errors=vErrors;return false;}`,
      `vErrors.push(${error});}`,
    ].join(''),
  )
  if (name === undefined || (bounded === code && code.includes('.push('))) {
    throw new Error(
      'the code that ajv makes has another form than this program expects, so its errors would have no bound',
    )
  }
  return bounded
}

/**
 * The errors that a schema has found, by field: `groupId`, `labels`, `labels.team` (the label's key follows
 * the first dot), or `body` for the body as a whole. There are at most 16; the last one may say that there
 * are more. `query`: the query, if the errors are about the query.
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

/** Where the error is. `propertyName` is given if a name is wrong, and not the value that has this name. */
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
  [FIELDS]: 'must be groupId',
  [INCARNATION]: 'must have only visible ASCII characters, and no "',
  [KEY_ID]: 'must be the id of an API key: 8 letters and digits',
  [MEMBER_CURSOR]: 'must be the after of a page',
  [LIMIT]: 'must be a whole number from 1 to 1000',
  [TIME]: 'must be a time in UTC with milliseconds, like 2026-01-15T09:30:00.000Z',
}

const MESSAGES: { [keyword: string]: (params: Record<string, unknown>) => string } = {
  minLength: ({ limit }) => `must have at least ${limit} character${limit === 1 ? '' : 's'}`,
  maxLength: ({ limit }) => `must have at most ${limit} characters`,
  maxProperties: ({ limit }) => `must have at most ${limit} entries`,
  minItems: ({ limit }) => `must have at least ${limit} ${limit === 1 ? 'entry' : 'entries'}`,
  maxItems: ({ limit }) => `must have at most ${limit} entries`,
  enum: ({ allowedValues }) => `must be one of ${(allowedValues as unknown[]).join(', ')}`,
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
