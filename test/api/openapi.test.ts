import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { PROBLEMS } from '../../src/api/problem-codes.ts'
import { CLUSTER_EXAMPLE } from '../../src/api/status-examples.ts'
import { expectProblem } from './expect.ts'
import { testApp } from './test-app.ts'

type Media = { schema: object; example?: unknown; examples?: { [name: string]: { value: unknown } } }
type Content = { [mediaType: string]: Media }
type Answer = { headers?: object; content?: Content }
type Operation = {
  operationId: string
  tags: string[]
  summary: string
  parameters: { name: string; in: string }[]
  requestBody?: { content: Content }
  responses: { [status: string]: Answer }
}
type Document = {
  openapi: string
  paths: { [path: string]: { [method: string]: Operation } }
  tags: { name: string }[]
  components: { schemas: { [name: string]: object } }
}

test('the document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate((await fetchDocument()) as never)
  assert.ok(valid, JSON.stringify(errors, undefined, 2))
  assert.equal((await fetchDocument()).openapi, '3.1.0')
})

test('it has every route that there is, and no other', async () => {
  const routes = new Set<string>()
  const { app } = testApp()
  app.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat())
      routes.add(`${name} ${url.replaceAll(/(?<!:):(\w+)/g, '{$1}').replace('::', ':')}`)
  })
  await app.ready()
  const described = new Set(operations(await fetchDocument()).map(({ name }) => name))
  const isAsset = (route: string) => /^\w+ \/v1\/(docs|redoc)\//.test(route)
  // HEAD is described where it is of use; Fastify makes one of every GET.
  const isImplied = (route: string) =>
    route.startsWith('HEAD ') && described.has(route.replace('HEAD', 'GET'))
  const missing = [...routes].filter((route) => !described.has(route) && !isAsset(route) && !isImplied(route))
  assert.deepEqual(missing, [])
  assert.deepEqual(
    [...described].filter((route) => !routes.has(route)),
    [],
  )
})

test('every example is valid by its schema', async () => {
  const document = await fetchDocument()
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'https://cohort.invalid/openapi', components: document.components })
  let count = 0
  for (const { name, operation } of operations(document)) {
    const contents = [
      operation.requestBody?.content,
      ...Object.values(operation.responses).map(({ content }) => content),
    ]
    for (const media of contents.flatMap((content) => Object.values(content ?? {}))) {
      const validate = ajv.compile(absolute(media.schema))
      const examples = Object.values(media.examples ?? {}).map(({ value }) => value)
      if (media.example !== undefined) examples.push(media.example)
      for (const example of examples) {
        assert.ok(
          validate(example),
          `${name}: ${JSON.stringify(example)}: ${ajv.errorsText(validate.errors)}`,
        )
        count += 1
      }
    }
  }
  assert.ok(count > 30)
})

test('every answer is described with X-Request-Id, every error with an example of its code', async () => {
  const seen = new Set<string>()
  for (const { name, operation } of operations(await fetchDocument())) {
    for (const [status, answer] of Object.entries(operation.responses)) {
      assert.ok('X-Request-Id' in (answer.headers ?? {}), `${name} ${status}`)
      if (Number(status) < 400 || name.startsWith('HEAD')) continue
      const { examples = {} } = answer.content?.['application/problem+json'] ?? {}
      for (const [code, { value }] of Object.entries(examples as { [code: string]: { value: unknown } })) {
        seen.add(code)
        assert.equal((value as { status: number }).status, Number(status), `${name} ${code}`)
      }
      assert.notEqual(Object.keys(examples).length, 0, `${name} ${status}`)
    }
    assert.ok(
      operation.parameters.some(
        (parameter) => parameter.in === 'header' && parameter.name === 'X-Request-Id',
      ),
      name,
    )
  }
  // These are not of one operation: no route is reached.
  const beforeRouting = [
    'invalid_http',
    'misdirected_request',
    'not_found',
    'method_not_allowed',
    'request_timeout',
    'headers_too_large',
    'method_not_implemented',
  ]
  assert.deepEqual([...seen, ...beforeRouting].sort(), Object.keys(PROBLEMS).sort())
})

test('every operation has an id of its own, a summary and a tag that is described', async () => {
  const document = await fetchDocument()
  const ids = new Set<string>()
  for (const { name, operation } of operations(document)) {
    assert.match(operation.operationId ?? '', /^[a-z]+([A-Z][a-z]+)*$/, name)
    assert.ok(!ids.has(operation.operationId), `${name}: another operation is ${operation.operationId} too`)
    ids.add(operation.operationId)
    assert.match(operation.summary ?? '', /\S/, name)
    assert.equal(operation.tags?.length, 1, name)
    assert.ok(
      document.tags.some(({ name: tag }) => tag === operation.tags[0]),
      name,
    )
  }
})

test('the schema of an error lists the codes of its examples, so that typed clients know them', async () => {
  for (const { name, operation } of operations(await fetchDocument())) {
    for (const [status, answer] of Object.entries(operation.responses)) {
      const { schema, examples } = answer.content?.['application/problem+json'] ?? {}
      if (schema === undefined) continue
      const [, own] = (schema as { allOf: { properties: { code: { enum: string[] } } }[] }).allOf
      assert.deepEqual(own?.properties.code.enum, Object.keys(examples ?? {}), `${name} ${status}`)
    }
  }
})

test('routes of a part that the engine does not have are neither there nor in the document', async () => {
  const whole = await fetchDocument()
  const { app } = testApp({ without: ['members', 'replicas'] })
  const document = (await app.inject('/v1/openapi.json')).json() as Document
  const gone = ['/v1/cluster/members', '/v1/cluster/members/{nodeId}', '/v1/group/{groupId}/replicas']
  assert.deepEqual(
    Object.keys(document.paths),
    Object.keys(whole.paths).filter((path) => !gone.includes(path)),
  )
  for (const name of ['Member', 'MembershipChange', 'GroupReplicas', 'Replica']) {
    assert.ok(name in whole.components.schemas, name)
    assert.ok(!(name in document.components.schemas), name)
  }
  const { valid, errors } = await new Validator().validate(document as never)
  assert.ok(valid, JSON.stringify(errors, undefined, 2))
  for (const [method, url] of [
    ['GET', '/v1/group/g/replicas'],
    ['POST', '/v1/cluster/members'],
    ['PUT', '/v1/cluster/members/n'],
    ['DELETE', '/v1/cluster/members/n'],
  ] as const) {
    expectProblem(await app.inject({ method, url }), 'not_found')
  }
  assert.equal((await app.inject('/v1/cluster')).statusCode, 200)
})

test('an answer is written with all its fields, whatever its schema says', async () => {
  const status = { ...CLUSTER_EXAMPLE, more: 1, clusterId: undefined, epoch: 'text' } as never
  const { app } = testApp({ engine: { status: { describe: () => status } } })
  assert.equal((await app.inject('/v1/cluster')).body, JSON.stringify(status))
})

test('the answers of the API are valid by its schemas', async () => {
  const document = await fetchDocument()
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'https://cohort.invalid/openapi', components: document.components })
  const { app } = testApp()
  const aKey = { name: 'n', role: 'reader' }
  const payload = { groupId: 'g', description: 'd', labels: { a: 'b' } }
  const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  const stored = { groups: [{ groupId: 'g', version: 1, incarnation: 'i', ...times }] }
  const answers = [
    ['Group', await app.inject({ method: 'POST', url: '/v1/group', payload })],
    ['Problem', await app.inject({ method: 'POST', url: '/v1/group', payload })],
    ['Problem', await app.inject({ method: 'POST', url: '/v1/group', payload: { more: 1 } })],
    ['Group', await app.inject('/v1/group/g')],
    ['GroupList', await app.inject('/v1/group')],
    ['ClusterStatus', await app.inject('/v1/cluster')],
    ['MembershipChange', await app.inject({ method: 'DELETE', url: '/v1/cluster/members/n1' })],
    ['GroupReplicas', await app.inject('/v1/group/g/replicas')],
    ['IssuedKey', await app.inject({ method: 'POST', url: '/v1/key', payload: aKey })],
    ['KeyList', await app.inject('/v1/key')],
    ['Caller', await app.inject('/v1/caller')],
    ['BackupPage', await app.inject('/v1/backup')],
    ['RestoreResult', await app.inject({ method: 'POST', url: '/v1/restore', payload: stored })],
  ] as const
  for (const [schema, answer] of answers) {
    const closed = {
      $ref: `https://cohort.invalid/openapi#/components/schemas/${schema}`,
      unevaluatedProperties: false,
    }
    const validate = ajv.compile(closed)
    assert.ok(validate(answer.json()), `${answer.body}: ${ajv.errorsText(validate.errors)}`)
  }
})

test('the pages and all they load come from here, and may load nothing from elsewhere', async () => {
  const { app } = testApp()
  for (const page of ['/v1/docs', '/v1/docs/', '/v1/redoc', '/v1/redoc/']) {
    const answer = await app.inject(page)
    assert.match(String(answer.headers['content-type']), /^text\/html\b/)
    const policy = String(answer.headers['content-security-policy'])
    assert.match(policy, /default-src 'none'/)
    assert.doesNotMatch(policy, /https?:|\*|unsafe-eval/)
    const links = [...answer.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link!)
    const assets = links.filter((link) => !link.startsWith('data:'))
    assert.notEqual(assets.length, 0)
    for (const asset of assets) {
      const url = new URL(asset, `http://localhost${page}`)
      assert.equal(url.host, 'localhost', asset)
      assert.equal((await app.inject(url.pathname)).statusCode, 200, asset)
    }
    // The policy forbids scripts inside the page.
    assert.doesNotMatch(answer.body, /<script(?![^>]*\bsrc=)/)
  }
})

test('Swagger UI is told where this document is, and not to ask a validator elsewhere', async () => {
  const { app } = testApp()
  const { body } = await app.inject('/v1/docs/static/swagger-initializer.js')
  assert.match(body, /validatorUrl: null/)
  assert.deepEqual((await app.inject('/v1/docs/json')).json(), await fetchDocument())
})

async function fetchDocument(): Promise<Document> {
  const answer = await testApp().app.inject('/v1/openapi.json')
  assert.match(String(answer.headers['content-type']), /^application\/json\b/)
  return answer.json()
}

const METHODS = ['get', 'head', 'post', 'patch', 'delete', 'put']

function operations(document: Document): { name: string; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  )
}

/** With references to components as ajv knows them. */
function absolute(schema: object): object {
  return JSON.parse(
    JSON.stringify(schema).replaceAll('"#/components', '"https://cohort.invalid/openapi#/components'),
  )
}
