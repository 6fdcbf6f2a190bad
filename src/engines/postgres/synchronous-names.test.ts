import assert from 'node:assert/strict'
import { test } from 'node:test'
import { standbysWaitedFor } from './synchronous-names.ts'

test('the number of standbys that a commit waits for is read in each form of the setting', () => {
  const counts = {
    '': 0,
    ' ': 0,
    '*': 1,
    's1, s2': 1,
    '"1 (a)"': 1,
    '2 (s1, s2, s3)': 2,
    'FIRST 3 (a, b, c)': 3,
    'any 2(a, b)': 2,
    'ANY 1 (*)': 1,
  }
  for (const [setting, count] of Object.entries(counts))
    assert.equal(standbysWaitedFor(setting), count, setting)
})
