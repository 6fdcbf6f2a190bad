import type { FastifySchemaValidationError } from 'fastify'
import { INCARNATION, TIME } from '../api/backup-schemas.ts'
import { LIMIT } from './page-query.ts'

/** What a request asks for behind its path. A parameter that is given twice has an array of texts. */
export type Query = Readonly<{ [parameter: string]: unknown }>

/** One thing that is wrong with a request. */
export type FieldError = Readonly<{ field: string; message: string }>

/** How many errors one answer lists. */
const ERRORS_MAX = 16
/** How much of a name that the client made up is repeated to it, in UTF-16 units. */
const NAME_LENGTH_MAX = 80

/**
 * What the schemas have to say, by field: `groupId`, `labels`, `labels.team` (what follows the first dot is the
 * label's key), `body` for the body as a whole. At most 16; one for each field and complaint. `query`: what they are about,
 * if it is the query.
 */
export function fieldErrors(
  errors: readonly FastifySchemaValidationError[],
  query: Query = {},
): FieldError[] {
  const found: FieldError[] = []
  for (const error of errors) {
    const fieldError = fieldErrorOf(error, query)
    if (fieldError === undefined) continue
    if (found.push(fieldError) === ERRORS_MAX) break
  }
  return found
}

function fieldErrorOf(error: FastifySchemaValidationError, query: Query): FieldError | undefined {
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
    case 'propertyNames':
      // Said already, by the rule that the name broke.
      return undefined
    case 'type':
      // Parameters are texts, but for those that are given more than once.
      if (Array.isArray(query[path[0] ?? '']))
        return { field: fieldName(path), message: 'must be given once' }
      return { field: fieldName(path), message: `must be ${typesOf(params)}` }
    default:
      return {
        field: fieldName(path),
        message: MESSAGES[keyword]?.(params) ?? error.message ?? 'is not valid',
      }
  }
}

/** `propertyName` is there when it is the name that is wrong, not the value under it. */
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
