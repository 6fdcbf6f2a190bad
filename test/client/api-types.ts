/**
 * Makes the types of the client library from the OpenAPI document of the routes:
 * `node test/client/api-types.ts` writes them to client/src/api-types.ts.
 */
import { writeFile } from 'node:fs/promises'
import { createRequire, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { testApp } from '../api/test-app.ts'

/** Where the library keeps the types. */
export const API_TYPES = new URL('../../client/src/api-types.ts', import.meta.url)

const HEAD = `/**
 * The types of the API. \`npm run client:types\` writes this file from the OpenAPI document of the routes. Do
 * not edit it: a test compares it with the routes. It is long because it names every answer of every route.
 */
`

type Json = { [name: string]: unknown }
type Operation = Json & { responses: { [status: string]: Json } }
type Document = { paths: { [path: string]: { [method: string]: Operation } }; components: Json }

/** The text of the types of a document. */
export async function generateTypes(document: object, options: object = {}): Promise<string> {
  // The generator prints with the API of TypeScript 5, which TypeScript 7 does not have; `@ts-morph/common`
  // brings it.
  const { ts } = createRequire(import.meta.url)('@ts-morph/common')
  Object.assign(globalThis, { typescript5: ts })
  const url = 'data:text/javascript,export default globalThis.typescript5'
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'typescript' ? { url, format: 'module', shortCircuit: true } : next(specifier, context),
  })
  try {
    const { default: openapiTypescript, astToString } = await import('openapi-typescript')
    return astToString(await openapiTypescript(document as never, options))
  } finally {
    hooks.deregister()
  }
}

/** What client/src/api-types.ts must hold, by the routes as they are. */
export async function expectedApiTypes(): Promise<string> {
  const { app } = testApp()
  const document = (await app.inject('/v1/openapi.json')).json()
  await app.close()
  // What has a default may be left out of a request.
  return HEAD + (await generateTypes(pruned(document), { defaultNonNullable: false }))
}

/**
 * The document without what the library does not use: pages for people, `HEAD`, the headers of answers, and
 * all examples.
 */
function pruned({ paths, components }: Document): object {
  const kept = Object.entries(paths)
    .filter(([path]) => path.startsWith('/v1/') && !/\/(docs|redoc|openapi\.json)$/.test(path))
    .map(([path, item]) => [
      path,
      Object.fromEntries(
        Object.entries(item)
          .filter(([method]) => method !== 'head')
          .map(([method, operation]) => [method, prunedOperation(operation)]),
      ),
    ])
  const { headers: _, ...rest } = components
  return withoutExamples({ openapi: '3.1.0', paths: Object.fromEntries(kept), components: rest }) as object
}

function prunedOperation({ responses, parameters, summary: _, description: __, ...rest }: Operation): Json {
  const headless = Object.entries(responses).map(([status, { headers: _, ...response }]) => [
    status,
    { ...response, description: '' },
  ])
  const named = (parameters as Json[] | undefined)?.filter(({ name }) => name !== 'X-Request-Id')
  return { ...rest, parameters: named ?? [], responses: Object.fromEntries(headless) }
}

function withoutExamples(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutExamples)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== 'example' && name !== 'examples')
      .map(([name, part]) => [name, withoutExamples(part)]),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(API_TYPES, await expectedApiTypes())
}
