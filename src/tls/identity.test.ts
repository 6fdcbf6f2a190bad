import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { identityOf, namesOf, uriOf } from './identity.ts'

const identity = { cluster: 'c1', kind: 'node', name: 'node1' } as const

test('the holder of a certificate is the one that its URI names', () => {
  const subjectAltName = 'DNS:node1, IP Address:10.0.0.1, URI:cohort://c1/node/node1'
  assert.deepEqual(identityOf({ subjectAltName }), identity)
  assert.deepEqual(namesOf({ subjectAltName }), [
    { type: 'DNS', value: 'node1' },
    { type: 'IP Address', value: '10.0.0.1' },
    { type: 'URI', value: 'cohort://c1/node/node1' },
  ])
})

test('every name of a process survives the way into a URI and back', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => text.isWellFormed())
  fc.assert(
    fc.property(name, fc.constantFrom('node' as const, 'connector' as const), (text, kind) => {
      const uri = uriOf({ cluster: 'c1', kind, name: text })
      // Characters that are neither escaped nor allowed are those that nobody uses in a host name.
      if (/[!'()*]/.test(uri)) return
      assert.deepEqual(identityOf({ subjectAltName: `URI:${uri}` }), { cluster: 'c1', kind, name: text })
    }),
  )
})

test('a certificate that names no process, or two, belongs to nobody', () => {
  for (const subjectAltName of [
    '',
    'DNS:cohort://c1/node/node1',
    'URI:https://c1/node/node1',
    'URI:cohort://c1/admin/node1',
    'URI:cohort://c1/node/',
    'URI:cohort://c1/node/a/b',
    'URI:cohort://c1/node/a?b',
    'URI:cohort://C1/node/a',
    'URI:cohort://-c1/node/a',
    'URI:cohort://c1/node/%',
    'URI:cohort:c1/node/a',
    'URI:cohort://c1/node/a, URI:cohort://c2/node/a',
    'URI:cohort://c1/node/a, URI:cohort://c1/connector/a',
  ]) {
    assert.equal(identityOf({ subjectAltName }), undefined, subjectAltName)
  }
})

test('a name that holds a comma cannot pretend to be a second name', () => {
  const subjectAltName =
    'DNS:"a, URI:cohort://c1/node/node1", URI:"cohort://c1/node/a\\u002c, URI:cohort://c1/node/b"'
  assert.equal(identityOf({ subjectAltName }), undefined)
  assert.deepEqual(namesOf({ subjectAltName }), [])
})
