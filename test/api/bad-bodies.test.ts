import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProblemCode } from '../../src/api/problem-codes.ts'
import { expectProblem, fieldsOf } from './expect.ts'
import { type TestApp, testApp } from './test-app.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

test('a body that is not JSON: 400 invalid_json', async () => {
  const world = await worldWithGroup()
  const bodies = [
    '',
    '{',
    '{"groupId":"a"',
    "{'groupId':'a'}",
    'groupId=a',
    '{"groupId":"a"}{}',
    '\ufeff{"groupId":"a"}',
  ]
  for (const payload of bodies) await expectRefused(world, payload, 'invalid_json')
})

test('a body that is not UTF-8: 400, and never a group of another id', async () => {
  const world = await worldWithGroup()
  const payload = Buffer.concat([Buffer.from('{"groupId":"'), Buffer.from([0xff]), Buffer.from('"}')])
  await expectRefused(world, payload, 'invalid_json')
  await expectRefused(world, Buffer.from('{"groupId":"é"}', 'latin1'), 'invalid_json')
  await expectRefused(world, Buffer.from('{"groupId":"a"}', 'utf16le'), 'invalid_json')
})

test('JSON that is not an object: 400, naming the body', async () => {
  const world = await worldWithGroup()
  for (const payload of ['null', 'true', '1', '"a"', '[]', '[{"groupId":"a"}]']) {
    await expectRefused(world, payload, 'invalid_request', ['body'])
  }
  assert.deepEqual(
    fieldsOf(expectProblem(await world.app.inject({ method: 'POST', url: '/v1/group' }), 'invalid_request')),
    ['body'],
  )
})

test('a wrong type is refused and not converted, and the field is named', async () => {
  const { app } = testApp()
  const cases: [unknown, string][] = [
    [{}, 'groupId'],
    [{ groupId: 1 }, 'groupId'],
    [{ groupId: null }, 'groupId'],
    [{ groupId: ['a'] }, 'groupId'],
    [{ groupId: 'a', description: 1 }, 'description'],
    [{ groupId: 'a', description: null }, 'description'],
    [{ groupId: 'a', labels: 'x' }, 'labels'],
    [{ groupId: 'a', labels: null }, 'labels'],
    [{ groupId: 'a', labels: ['x'] }, 'labels'],
    [{ groupId: 'a', labels: { 'a.b/c~d': 1 } }, 'labels.a.b/c~d'],
    [{ groupId: 'a', labels: { k: null } }, 'labels.k'],
    [{ groupId: 'a', labels: { k: {} } }, 'labels.k'],
  ]
  for (const [payload, field] of cases) {
    const answer = await app.inject({ method: 'POST', url: '/v1/group', payload: payload as object })
    assert.deepEqual(fieldsOf(expectProblem(answer, 'invalid_request')), [field], JSON.stringify(payload))
  }
})

test('too short, too long, too many: the field is named; lengths are in code points', async () => {
  const { app } = testApp()
  const cases: [object, string][] = [
    [{ groupId: '' }, 'groupId'],
    [{ groupId: 'a'.repeat(257) }, 'groupId'],
    [{ groupId: '🦊'.repeat(257) }, 'groupId'],
    [{ groupId: 'a', description: 'd'.repeat(1_025) }, 'description'],
    [{ groupId: 'a', labels: labelsOf(65) }, 'labels'],
    [{ groupId: 'a', labels: { '': 'v' } }, 'labels.'],
    [{ groupId: 'a', labels: { ['k'.repeat(64)]: 'v' } }, `labels.${'k'.repeat(64)}`],
    [{ groupId: 'a', labels: { k: 'v'.repeat(257) } }, 'labels.k'],
  ]
  for (const [payload, field] of cases) {
    const answer = await app.inject({ method: 'POST', url: '/v1/group', payload })
    assert.deepEqual(fieldsOf(expectProblem(answer, 'invalid_request')), [field])
  }
  for (const groupId of ['🦊'.repeat(256), '👩‍👩‍👧‍👦'.repeat(36)]) {
    assert.equal(
      (await app.inject({ method: 'POST', url: '/v1/group', payload: { groupId } })).statusCode,
      201,
    )
  }
})

test('control characters and lone surrogates are refused wherever text stands', async () => {
  const { app } = testApp()
  const illegal = [
    '\\u0000',
    '\\u001f',
    '\\u007f',
    '\\u0080',
    '\\u009f',
    '\\ud800',
    '\\udfff',
    '\\udc00\\ud800',
  ]
  for (const text of illegal) {
    const cases: [string, string | undefined][] = [
      [`{"groupId":"a${text}"}`, 'groupId'],
      [`{"groupId":"a","description":"${text}"}`, 'description'],
      [`{"groupId":"a","labels":{"k":"${text}"}}`, 'labels.k'],
      [`{"groupId":"a","labels":{"${text}":"v"}}`, undefined],
    ]
    for (const [payload, field] of cases) {
      const answer = await app.inject({ method: 'POST', url: '/v1/group', headers: JSON_TYPE, payload })
      const fields = fieldsOf(expectProblem(answer, 'invalid_request'))
      assert.equal(fields.length, 1)
      if (field !== undefined) assert.deepEqual(fields, [field], payload)
      else assert.match(fields[0]!, /^labels\./)
    }
  }
})

test('a description may have lines and tabs; ids and labels may not', async () => {
  const { app } = testApp()
  const text = 'a\tb\r\nc'
  const taken = await app.inject({
    method: 'POST',
    url: '/v1/group',
    payload: { groupId: 'a', description: text },
  })
  assert.equal(taken.json().description, text)
  for (const payload of [
    { groupId: text },
    { groupId: 'b', labels: { [text]: 'v' } },
    { groupId: 'b', labels: { k: text } },
  ]) {
    expectProblem(await app.inject({ method: 'POST', url: '/v1/group', payload }), 'invalid_request')
  }
})

test('an unknown field is refused and named, not ignored', async () => {
  const world = await worldWithGroup()
  await expectRefused(world, '{"groupId":"a","descripton":"d"}', 'invalid_request', ['descripton'], 'POST')
  await expectRefused(world, '{"groupId":"a","__proto__":{"x":1}}', 'invalid_request', ['__proto__'], 'POST')
  await expectRefused(world, '{"groupId":"a","constructor":1}', 'invalid_request', ['constructor'], 'POST')
  for (const field of ['groupId', 'version', 'createdAt', 'incarnation']) {
    await expectRefused(world, JSON.stringify({ [field]: 'x' }), 'invalid_request', [field], 'PATCH')
  }
})

test('the same limits hold for a patch and for its result', async () => {
  const world = await worldWithGroup()
  const cases: [object, string][] = [
    [{ description: 1 }, 'description'],
    [{ description: 'd'.repeat(1_025) }, 'description'],
    [{ labels: 'x' }, 'labels'],
    [{ labels: { k: 1 } }, 'labels.k'],
    [{ labels: { k: 'v'.repeat(257) } }, 'labels.k'],
  ]
  for (const [payload, field] of cases) {
    await expectRefused(world, JSON.stringify(payload), 'invalid_request', [field], 'PATCH')
  }
  await patch(world, { labels: labelsOf(60) })
  const tooMany = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`more${index}`, 'v']))
  await expectRefused(world, JSON.stringify({ labels: tooMany }), 'too_many_labels', ['labels'], 'PATCH')
  await patch(world, { labels: { ...tooMany, k0: null } })
})

test('all errors are reported at once, up to a limit', async () => {
  const { app } = testApp()
  const labels = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`k${index}`, index]))
  const payload = { groupId: '', description: 1, labels, more: 1 }
  const problem = expectProblem(
    await app.inject({ method: 'POST', url: '/v1/group', payload }),
    'invalid_request',
  )
  assert.equal(problem.errors?.length, 16)
  for (const field of ['groupId', 'description', 'more']) assert.ok(fieldsOf(problem).includes(field), field)
})

test('a long name that the client made up is not repeated in full', async () => {
  const { app } = testApp()
  const payload = { groupId: 'a', ['x'.repeat(50_000)]: 1, labels: { ['y'.repeat(10_000)]: 1 } }
  const answer = await app.inject({ method: 'POST', url: '/v1/group', payload })
  expectProblem(answer, 'invalid_request')
  assert.ok(answer.body.length < 2_000)
})

test('a body over 64 KiB: 413, with or without its length declared; one of 64 KiB is read', async () => {
  const world = await worldWithGroup()
  const exact = `{"groupId":"${'a'.repeat(64 * 1_024 - 14)}"}`
  assert.equal(exact.length, 64 * 1_024)
  await expectRefused(world, exact, 'invalid_request', ['groupId'], 'POST')
  await expectRefused(world, `${exact} `, 'body_too_large')
  const deletion = { method: 'DELETE', url: '/v1/group/g', headers: JSON_TYPE, payload: `${exact} ` } as const
  expectProblem(await world.app.inject(deletion), 'body_too_large')
})

test('another content type, none, or an encoding: 415', async () => {
  const world = await worldWithGroup()
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/jsonx',
    'application',
    'x',
    '/',
    '',
  ]
  for (const type of types) {
    for (const [method, url] of [
      ['POST', '/v1/group'],
      ['PATCH', '/v1/group/g'],
    ] as const) {
      const headers = { 'content-type': type }
      const answer = await world.app.inject({ method, url, headers, payload: '{"groupId":"a"}' })
      expectProblem(answer, 'unsupported_media_type')
    }
  }
  const mergePatch = { 'content-type': 'application/merge-patch+json' }
  expectProblem(
    await world.app.inject({
      method: 'POST',
      url: '/v1/group',
      headers: mergePatch,
      payload: '{"groupId":"a"}',
    }),
    'unsupported_media_type',
  )
  const gzip = { ...JSON_TYPE, 'content-encoding': 'gzip' }
  expectProblem(
    await world.app.inject({ method: 'POST', url: '/v1/group', headers: gzip, payload: '{"groupId":"a"}' }),
    'unsupported_media_type',
  )
})

test('JSON nested as deep as a body can be is refused, not a crash', async () => {
  const world = await worldWithGroup()
  await expectRefused(world, '['.repeat(32_000) + ']'.repeat(32_000), 'invalid_request')
  await expectRefused(world, '['.repeat(60_000), 'invalid_json')
  await expectRefused(world, `{"a":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`, 'invalid_request')
})

/** Asserts that POST and PATCH (or one of them) refuse a body, and which fields they name. */
async function expectRefused(
  { app }: TestApp,
  payload: string | Buffer,
  code: ProblemCode,
  fields?: readonly string[],
  only?: 'POST' | 'PATCH',
): Promise<void> {
  const targets = [
    ['POST', '/v1/group'],
    ['PATCH', '/v1/group/g'],
  ] as const
  for (const [method, url] of targets.filter(([name]) => only === undefined || name === only)) {
    const problem = expectProblem(await app.inject({ method, url, headers: JSON_TYPE, payload }), code)
    if (fields !== undefined) assert.deepEqual(fieldsOf(problem), fields)
  }
}

async function patch({ app }: TestApp, payload: object): Promise<void> {
  assert.equal((await app.inject({ method: 'PATCH', url: '/v1/group/g', payload })).statusCode, 200)
}

function labelsOf(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']))
}

async function worldWithGroup(): Promise<TestApp> {
  const world = testApp()
  await world.app.inject({ method: 'POST', url: '/v1/group', payload: { groupId: 'g' } })
  return world
}
