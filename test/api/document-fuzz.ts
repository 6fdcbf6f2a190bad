/**
 * Requests made from the OpenAPI document and its mutations, and the check of each answer against the
 * document.
 */
import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'

type Schema = Readonly<{ [keyword: string]: unknown }>
type Parameter = Readonly<{ name: string; in: string; schema: Schema }>
type Content = Readonly<{ [mediaType: string]: Readonly<{ schema?: object; example?: unknown }> }>
type Operation = Readonly<{
  parameters?: readonly Parameter[]
  requestBody?: Readonly<{ content: Content }>
  responses: Readonly<{ [status: string]: Readonly<{ content?: Content }> }>
}>
type Document = Readonly<{
  paths: Readonly<{ [path: string]: Readonly<{ [method: string]: Operation }> }>
  components: object
}>

const ROOT = 'https://cohort.invalid/fuzz'
/** Its answers never end. */
const STREAMS = new Set(['/v1/watch'])

/**
 * Sends `count` requests, and fails at the first answer that the document does not allow.
 *
 * @returns how often each status was answered
 */
export async function fuzzDocument(
  app: FastifyInstance,
  count: number,
): Promise<ReadonlyMap<number, number>> {
  const statuses = new Map<number, number>()
  const document: Document = (await app.inject('/v1/openapi.json')).json()
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: ROOT, ...document })
  const operations = Object.entries(document.paths)
    .filter(([path]) => !STREAMS.has(path))
    .flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    )
  assert.ok(operations.length > 15, 'the document has operations')
  const request = fc.constantFrom(...operations.keys()).chain((operation) =>
    fc.record({
      operation: fc.constant(operation),
      values: fc.array(value, { minLength: 12, maxLength: 12 }),
      isGiven: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
      body: bodyOf(operations[operation]!.operation),
      type: fc.oneof(
        { weight: 6, arbitrary: fc.constant(undefined) },
        fc.constantFrom('text/plain', 'application/json'),
      ),
    }),
  )
  await fc.assert(
    fc.asyncProperty(request, async ({ operation: index, values, isGiven, body, type }) => {
      // The number alone is shown when the test fails, and not all that the document has of the operation.
      const { path, method, operation } = operations[index]!
      const { parameters = [], requestBody } = operation
      let url = path
      const query = new URLSearchParams()
      const headers: { [name: string]: string } = {}
      for (const [place, parameter] of parameters.entries()) {
        const text = values[place % values.length]!
        if (parameter.in === 'path') url = url.replace(`{${parameter.name}}`, segmentOf(text))
        else if (!isGiven[place % isGiven.length]) continue
        else if (parameter.in === 'query') query.set(parameter.name, text)
        else headers[parameter.name.toLowerCase()] = text.replaceAll(/[^ -~]/g, '?')
      }
      if (requestBody !== undefined) headers['content-type'] = type ?? Object.keys(requestBody.content)[0]!
      const answer = await app.inject({
        method: method as 'POST',
        url: `${url}${query.size > 0 ? `?${query}` : ''}`,
        headers,
        ...(requestBody === undefined ? {} : { payload: body }),
      })
      statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1)
      check(ajv, { path, method, operation }, answer)
    }),
    { numRuns: count },
  )
  return statuses
}

/** Texts that fit, and texts that do not. */
const value = fc.oneof(
  fc.constantFrom(
    'g',
    'a',
    'payments',
    '1',
    '100',
    '1000',
    '1001',
    '0',
    '*',
    '"1-i1"',
    'W/"1-i1"',
    '',
    'groupId',
  ),
  fc.constantFrom(
    'team',
    'team=core',
    'team!=core',
    'a,b',
    '__proto__',
    '%',
    '\u0000',
    '\u{1f98a}',
    'x'.repeat(300),
  ),
  fc.string({ maxLength: 12 }),
)

/** The example of a body with some of its parts replaced, or any JSON, or any text. */
function bodyOf({ requestBody }: Operation): fc.Arbitrary<string> {
  const example = Object.values(requestBody?.content ?? {})[0]?.example
  const known =
    example === undefined ? fc.constant('{}') : mutated(example).map((json) => JSON.stringify(json))
  return fc.oneof({ weight: 5, arbitrary: known }, fc.json({ maxDepth: 3 }), fc.string({ maxLength: 20 }))
}

const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, true, -1, 0, 1.5, 1e308, '', '\u0000', 'x'.repeat(2_000), [], {}),
  fc.string({ maxLength: 8 }),
)

/** The same value, in which each part may be left out, replaced or repeated. */
function mutated(json: unknown): fc.Arbitrary<unknown> {
  const other = { weight: 1, arbitrary: scalar }
  const same = { weight: 8, arbitrary: fc.constant(json) }
  if (typeof json !== 'object' || json === null) return fc.oneof(same, other)
  if (Array.isArray(json)) {
    const items =
      json.length === 0
        ? fc.constant([])
        : fc.array(fc.constantFrom(...json).chain(mutated), { maxLength: 3 })
    return fc.oneof({ weight: 8, arbitrary: items }, other)
  }
  const fields = Object.fromEntries(Object.entries(json).map(([name, part]) => [name, mutated(part)]))
  const changed = fc.record(fields, { requiredKeys: [] })
  const extended = fc.tuple(changed, fc.string({ maxLength: 6 }), scalar).map(([object, name, extra]) => {
    return Object.fromEntries([...Object.entries(object), [name, extra]])
  })
  return fc.oneof(same, { weight: 6, arbitrary: changed }, { weight: 1, arbitrary: extended }, other)
}

type Sent = Readonly<{ path: string; method: string; operation: Operation }>
type Answer = Readonly<{ statusCode: number; headers: { [name: string]: unknown }; body: string }>

/** What every answer must have: a status and a body that the document has for the operation. */
function check(ajv: Ajv2020, { path, method, operation }: Sent, { statusCode, headers, body }: Answer): void {
  const what = `${method} ${path}: ${statusCode} ${body.slice(0, 400)}`
  assert.notEqual(statusCode, 500, what)
  assert.ok(headers['x-request-id'], what)
  const described = operation.responses[String(statusCode)]
  // What a path means is decided before its route is known.
  const isElsewhere = statusCode === 404 || statusCode === 405
  if (described === undefined) return assert.ok(isElsewhere, `the document has no such answer: ${what}`)
  if (method === 'HEAD' || body === '') return
  const type = String(headers['content-type']).split(';')[0]!
  const content = described.content?.[type]
  assert.ok(content !== undefined || isElsewhere, `the document has no ${type} here: ${what}`)
  if (content?.schema === undefined || !/json$/.test(type)) return
  const at = ['paths', path, method.toLowerCase(), 'responses', String(statusCode), 'content', type, 'schema']
  const pointer = at
    .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/')
  const validate = ajv.getSchema(`${ROOT}#/${pointer}`)
  assert.ok(validate, what)
  assert.ok(validate(JSON.parse(body)), `${ajv.errorsText(validate.errors)}: ${what}`)
}

/** `app.inject` removes the segments `.` and `..` from a path, as most clients do. */
function segmentOf(text: string): string {
  return /^\.{0,2}$/.test(text) ? 'g' : encodeURIComponent(text)
}
