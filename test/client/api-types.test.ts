import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { API_TYPES, expectedApiTypes } from './api-types.ts'

test('the types of the client library are those of the routes', async () => {
  const text = await readFile(API_TYPES, 'utf8')
  assert.ok(text === (await expectedApiTypes()), 'the routes have changed: run `npm run client:types`')
})
