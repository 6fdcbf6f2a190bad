import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUTHOR } from '../testing/author.ts'
import { group } from '../testing/group-arbitraries.ts'
import { deleteGroup } from './delete-group.ts'
import { etagOf, parseEtagCondition } from './etag.ts'
import { brokenPrecondition } from './preconditions.ts'
import { updateGroup } from './update-group.ts'

const NOW = '2026-01-01T00:00:00.000Z'

test('If-Match holds for the current version, If-None-Match for every other', () => {
  fc.assert(
    fc.property(group, (live) => {
      const own = parseEtagCondition(etagOf(live))
      const weak = parseEtagCondition(`W/${etagOf(live)}`)
      const other = parseEtagCondition('"0-none"')
      assert.equal(brokenPrecondition({}, live), undefined)
      for (const ifMatch of ['*' as const, own])
        assert.equal(brokenPrecondition({ ifMatch }, live), undefined)
      for (const ifMatch of [other, weak, []]) {
        assert.equal(brokenPrecondition({ ifMatch }, live), 'version_mismatch')
      }
      for (const ifNoneMatch of ['*' as const, own, weak]) {
        assert.equal(brokenPrecondition({ ifNoneMatch }, live), 'precondition_failed')
      }
      for (const ifNoneMatch of [other, []])
        assert.equal(brokenPrecondition({ ifNoneMatch }, live), undefined)
    }),
  )
})

test('If-Match comes before If-None-Match', () => {
  fc.assert(
    fc.property(group, (live) => {
      assert.equal(brokenPrecondition({ ifMatch: [], ifNoneMatch: '*' }, live), 'version_mismatch')
      assert.equal(brokenPrecondition({ ifMatch: '*', ifNoneMatch: '*' }, live), 'precondition_failed')
    }),
  )
})

test('a missing group is reported before a failed precondition, and that before an invalid patch', () => {
  const tooMany = { labels: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, 'v'])) }
  const commands = [
    deleteGroup({ ifNoneMatch: '*' }),
    updateGroup({ patch: tooMany, ifNoneMatch: '*', now: NOW, author: AUTHOR }),
  ]
  for (const command of commands) {
    assert.deepEqual(command(undefined), { kind: 'refused', refusal: 'group_not_found' })
    fc.assert(
      fc.property(group, (live) => {
        assert.deepEqual(command(live), { kind: 'refused', refusal: 'precondition_failed' })
      }),
    )
  }
})
