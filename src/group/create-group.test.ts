import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUTHOR } from '../testing/author.ts'
import { group } from '../testing/group-arbitraries.ts'
import { createGroup } from './create-group.ts'

const REQUEST = { groupId: 'g', now: '2026-01-01T00:00:00.000Z', author: AUTHOR, incarnation: 'i' }

test('a new group is at version 1 of its own incarnation', () => {
  assert.deepEqual(createGroup({ ...REQUEST, description: 'd', labels: { a: 'b' } })(undefined), {
    kind: 'changed',
    ...both({
      groupId: 'g',
      description: 'd',
      labels: { a: 'b' },
      version: 1,
      incarnation: 'i',
      createdAt: REQUEST.now,
      updatedAt: REQUEST.now,
      ...AUTHOR,
    }),
  })
})

test('what is not given, and no labels, are left out', () => {
  const decision = createGroup({ ...REQUEST, labels: {} })(undefined)
  assert.equal(decision.kind, 'changed')
  assert.deepEqual(Object.keys(decision.kind === 'changed' ? decision.answer : {}), [
    'groupId',
    'version',
    'incarnation',
    'createdAt',
    'updatedAt',
    'updatedBy',
    'requestId',
  ])
})

test('a live group is never replaced', () => {
  fc.assert(
    fc.property(group, (live) => {
      assert.deepEqual(createGroup({ ...REQUEST, groupId: live.groupId })(live), {
        kind: 'refused',
        refusal: 'group_exists',
      })
    }),
  )
})

function both<T>(value: T): { group: T; answer: T } {
  return { group: value, answer: value }
}
