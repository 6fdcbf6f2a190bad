import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isHostName, sameEndpoint } from './address.ts'

test('localhost is 127.0.0.1, on the same port only', () => {
  assert.ok(sameEndpoint('localhost:1', '127.0.0.1:1'))
  assert.ok(!sameEndpoint('localhost:1', '127.0.0.1:2'))
  assert.ok(!sameEndpoint('localhost:1', 'my-localhost:1'))
})

test('names and whole addresses are host names; parts and ports are not', () => {
  for (const name of ['a', 'node_1', 'a.b-c.d', '127.0.0.1', '::', '0.0.0.0', '::1'])
    assert.ok(isHostName(name), name)
  for (const name of ['', ' ', 'a b', 'a:1', '1.2.3', '[::1]', '.a', 'a.', 'http://a', 'a/b']) {
    assert.ok(!isHostName(name), name)
  }
})
