import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUTHOR } from '../testing/author.ts'
import { group } from '../testing/group-arbitraries.ts'
import { authorOf } from './author.ts'
import { etagOf } from './etag.ts'
import type { Group } from './group.ts'
import { encodeGroup } from './group-codec.ts'
import { lifeOf } from './life.ts'
import { restoreGroup } from './restore-group.ts'
import { sameGroup } from './same-group.ts'
import { updateGroup } from './update-group.ts'

test('a restored group is stored byte for byte as it was, whatever order its fields came in', () => {
  fc.assert(
    fc.property(group, (backup) => {
      const reversed = Object.fromEntries(Object.entries(backup).reverse()) as typeof backup
      const decision = restoreGroup(reversed, { life: 'l', author: AUTHOR })(undefined)
      assert.ok(decision.kind === 'changed' && decision.group !== undefined)
      assert.deepEqual(encodeGroup(decision.group), encodeGroup(asStored(backup)))
      assert.equal(etagOf(decision.group), etagOf(backup))
    }),
  )
})

/** With its fields in the order in which a create stores them. */
function asStored({ groupId, description, labels, ...rest }: Group): Group {
  return {
    groupId,
    ...(description === undefined ? {} : { description }),
    ...(labels === undefined ? {} : { labels }),
    version: rest.version,
    incarnation: rest.incarnation,
    life: 'l',
    createdAt: rest.createdAt,
    updatedAt: rest.updatedAt,
    ...(authorOf(rest) ?? AUTHOR),
  }
}

test('a restored group keeps the author of its last change, and gets that of the restore if it has none', () => {
  const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  const old = { groupId: 'g', version: 1, incarnation: 'i', ...times }
  const authored = { ...old, updatedBy: 'key:first', requestId: 'r1' }
  for (const [backup, expected] of [
    [authored, authorOf(authored)],
    [old, AUTHOR],
  ] as const) {
    const decision = restoreGroup(backup, { life: 'l', author: AUTHOR })(undefined)
    assert.ok(decision.kind === 'changed')
    assert.deepEqual(authorOf(decision.answer), expected)
    // The same backup again, from whichever version of this program.
    assert.equal(restoreGroup(backup, { life: 'm', author: AUTHOR })(decision.answer).kind, 'unchanged')
  }
})

test('a restore that is repeated changes nothing', () => {
  fc.assert(
    fc.property(group, (backup) => {
      assert.deepEqual(restoreGroup(backup, { life: 'l', author: AUTHOR })(structuredClone(backup)), {
        kind: 'unchanged',
        answer: backup,
      })
    }),
  )
})

test('a live group that differs in anything is never replaced', () => {
  fc.assert(
    fc.property(group, group, (live, other) => {
      const changes = [
        { description: `${live.description ?? ''}.` },
        { version: live.version + 1 },
        { incarnation: `${live.incarnation}0` },
        { createdAt: '2019-01-01T00:00:00.000Z' },
        { updatedAt: '2041-01-01T00:00:00.000Z' },
        { labels: { ...live.labels, 'a new one': 'x' } },
        ...(sameGroup({ ...other, groupId: live.groupId }, live)
          ? []
          : [{ ...other, groupId: live.groupId }]),
      ]
      for (const change of changes) {
        assert.deepEqual(restoreGroup({ ...live, ...change }, { life: 'l', author: AUTHOR })(live), {
          kind: 'refused',
          refusal: 'group_exists',
        })
      }
    }),
  )
})

test('a restored group begins a new life, and a repeated restore leaves the life as it is', () => {
  fc.assert(
    fc.property(group, (backup) => {
      const first = restoreGroup(backup, { life: 'first', author: AUTHOR })(undefined)
      assert.ok(first.kind === 'changed' && first.group !== undefined)
      assert.equal(lifeOf(first.group), 'first')
      assert.notEqual(lifeOf(first.group), lifeOf(backup))
      assert.deepEqual(restoreGroup(backup, { life: 'second', author: AUTHOR })(first.group), {
        kind: 'unchanged',
        answer: first.group,
      })
      const patched = updateGroup({
        patch: { labels: { patched: 'x' } },
        now: '2050-01-01T00:00:00.000Z',
        author: AUTHOR,
      })
      const after = patched(first.group)
      assert.ok(after.kind === 'refused' || lifeOf(after.answer) === 'first', 'a patch keeps the life')
    }),
  )
})

test('no labels are stored as none, as a create does it', () => {
  const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  const backup = { groupId: 'g', version: 1, incarnation: 'i', ...times }
  const decision = restoreGroup({ ...backup, labels: {} }, { life: 'l', author: AUTHOR })(undefined)
  assert.deepEqual(decision, {
    kind: 'changed',
    group: { ...backup, life: 'l', ...AUTHOR },
    answer: { ...backup, life: 'l', ...AUTHOR },
  })
  assert.equal(
    restoreGroup({ ...backup, labels: {} }, { life: 'l', author: AUTHOR })(backup).kind,
    'unchanged',
  )
})

test('groups whose labels differ in one value, or in whose they are, are not the same', () => {
  const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  const backup = { groupId: 'g', version: 1, incarnation: 'i', ...times }
  assert.ok(sameGroup({ ...backup, labels: { a: '1', b: '2' } }, { ...backup, labels: { b: '2', a: '1' } }))
  assert.ok(!sameGroup({ ...backup, labels: { a: '1' } }, { ...backup, labels: { a: '2' } }))
  // Not its own label, but a part of every object.
  const inherited = Object.fromEntries([['constructor', 'x']])
  assert.ok(!sameGroup({ ...backup, labels: inherited }, { ...backup, labels: { b: 'x' } }))
  assert.ok(!sameGroup({ ...backup, labels: { a: '1' } }, backup))
})
