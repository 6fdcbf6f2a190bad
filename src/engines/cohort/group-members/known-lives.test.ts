import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KnownLives } from './known-lives.ts'

test('the lives of a bounded number of groups are known: those that were noted last', () => {
  const lives = new KnownLives(3)
  for (const groupId of ['a', 'b', 'c']) lives.note(groupId, `life of ${groupId}`)
  lives.note('a', 'next life of a')
  lives.note('d', 'life of d')
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((groupId) => lives.get(groupId)),
    ['next life of a', undefined, 'life of c', 'life of d'],
  )
})

test('a group that does not exist any more has no known life', () => {
  const lives = new KnownLives(3)
  lives.note('a', 'life')
  lives.note('a', undefined)
  assert.equal(lives.get('a'), undefined)
})
