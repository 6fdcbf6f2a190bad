import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { group } from '../testing/group-arbitraries.ts'
import { deleteGroup } from './delete-group.ts'
import { etagOf, parseEtagCondition } from './etag.ts'

const STALE = parseEtagCondition('"0-none"')

test('a group is deleted, and shown as it was', () => {
  fc.assert(
    fc.property(group, (live) => {
      for (const ifMatch of [undefined, '*' as const, parseEtagCondition(etagOf(live))]) {
        assert.deepEqual(deleteGroup({ ifMatch })(live), { kind: 'changed', group: undefined, answer: live })
      }
    }),
  )
})

test('a missing group is refused before a wrong version', () => {
  for (const ifMatch of [undefined, '*' as const, STALE]) {
    assert.deepEqual(deleteGroup({ ifMatch })(undefined), { kind: 'refused', refusal: 'group_not_found' })
  }
})

test('a wrong version is refused', () => {
  fc.assert(
    fc.property(group, (live) => {
      assert.deepEqual(deleteGroup({ ifMatch: STALE })(live), {
        kind: 'refused',
        refusal: 'version_mismatch',
      })
    }),
  )
})
