import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUTHOR } from '../testing/author.ts'
import { group, labelKey, labels } from '../testing/group-arbitraries.ts'
import { etagOf, parseEtagCondition } from './etag.ts'
import type { Decision, Group } from './group.ts'
import { LABELS_MAX } from './limits.ts'
import { type GroupPatch, updateGroup } from './update-group.ts'

const LATER = '2050-01-01T00:00:00.000Z'

const patch: fc.Arbitrary<GroupPatch> = fc.record(
  {
    description: fc.option(fc.string({ maxLength: 8 })),
    labels: fc.option(
      fc
        .uniqueArray(fc.tuple(labelKey, fc.option(fc.string({ maxLength: 4 }))), {
          maxLength: 6,
          selector: ([key]) => key,
        })
        .map((entries) => Object.fromEntries(entries)),
    ),
  },
  { requiredKeys: [] },
)

test('a patch does what RFC 7396 says', () => {
  fc.assert(
    fc.property(group, patch, (live, change) => {
      const { description, labels: after } = answerTo(apply(live, change))
      const expected = mergePatch(contentOf(live), change)
      assert.equal(description, expected.get('description'))
      const expectedLabels = expected.get('labels')
      assert.deepEqual(
        new Map(Object.entries(after ?? {})),
        expectedLabels instanceof Map ? expectedLabels : new Map(),
      )
    }),
  )
})

test('the same patch again changes nothing', () => {
  fc.assert(
    fc.property(group, patch, (live, change) => {
      const once = answerTo(apply(live, change))
      assert.deepEqual(apply(once, change), { kind: 'unchanged', answer: once })
    }),
  )
})

test('a change increments the version; a patch without a change keeps version and time', () => {
  fc.assert(
    fc.property(group, patch, (live, change) => {
      const decision = apply(live, change)
      const { version, updatedAt, incarnation, createdAt, groupId } = answerTo(decision)
      assert.deepEqual(
        { version, updatedAt },
        decision.kind === 'changed'
          ? { version: live.version + 1, updatedAt: LATER }
          : { version: live.version, updatedAt: live.updatedAt },
      )
      assert.deepEqual(
        { incarnation, createdAt, groupId },
        { incarnation: live.incarnation, createdAt: live.createdAt, groupId: live.groupId },
      )
    }),
  )
})

test("a clock that went back does not set a group's time back", () => {
  const live = aGroup({ updatedAt: '2026-06-01T00:00:00.000Z' })
  const decision = updateGroup({
    patch: { description: 'new' },
    ifMatch: undefined,
    now: '2026-05-01T00:00:00.000Z',
    author: AUTHOR,
  })(live)
  assert.equal(answerTo(decision).updatedAt, live.updatedAt)
})

test('labels are counted after the patch, and one too many is refused', () => {
  const full = Object.fromEntries(Array.from({ length: LABELS_MAX }, (_, index) => [`k${index}`, 'v']))
  const live = aGroup({ labels: full })
  assert.deepEqual(apply(live, { labels: { one: 'more' } }), { kind: 'refused', refusal: 'too_many_labels' })
  assert.equal(apply(live, { labels: { one: 'more', k0: null } }).kind, 'changed')
  assert.equal(apply(live, { labels: { k0: 'other' } }).kind, 'changed')
})

test('a missing group is refused before a wrong version, and that before too many labels', () => {
  const stale = parseEtagCondition('"0-none"')
  const tooMany = { labels: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`k${index}`, 'v'])) }
  const command = updateGroup({ patch: tooMany, ifMatch: stale, now: LATER, author: AUTHOR })
  assert.deepEqual(command(undefined), { kind: 'refused', refusal: 'group_not_found' })
  assert.deepEqual(command(aGroup({})), { kind: 'refused', refusal: 'version_mismatch' })
})

test('the current version is permitted', () => {
  fc.assert(
    fc.property(group, labels(4), (live, added) => {
      const command = updateGroup({
        patch: { labels: added },
        ifMatch: parseEtagCondition(etagOf(live)),
        now: LATER,
        author: AUTHOR,
      })
      assert.notEqual(command(live).kind, 'refused')
    }),
  )
})

function apply(live: Group, change: GroupPatch): Decision {
  return updateGroup({ patch: change, ifMatch: undefined, now: LATER, author: AUTHOR })(live)
}

function answerTo(decision: Decision): Group {
  assert.notEqual(decision.kind, 'refused')
  return (decision as Exclude<Decision, { kind: 'refused' }>).answer
}

function aGroup(overrides: Partial<Group>): Group {
  const time = '2026-01-01T00:00:00.000Z'
  return { groupId: 'g', version: 1, incarnation: 'i', createdAt: time, updatedAt: time, ...overrides }
}

/** A document of nested maps: the pseudocode of RFC 7396 §2 has no notion of a prototype. */
type Json = string | null | Map<string, Json>

function contentOf({ description, labels: those }: Group): Map<string, Json> {
  const content = new Map<string, Json>()
  if (description !== undefined) content.set('description', description)
  if (those !== undefined) content.set('labels', new Map(Object.entries(those)))
  return content
}

function mergePatch(target: Map<string, Json>, change: GroupPatch): Map<string, Json> {
  const entries = Object.entries(change).map(([name, value]): [string, Json] => [
    name,
    typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : (value ?? null),
  ])
  return merge(target, new Map(entries)) as Map<string, Json>
}

function merge(target: Json | undefined, change: Json): Json {
  if (!(change instanceof Map)) return change
  const merged = new Map(target instanceof Map ? target : [])
  for (const [name, value] of change) {
    if (value === null) merged.delete(name)
    else merged.set(name, merge(merged.get(name), value))
  }
  return merged
}

test('a change names its author, and a patch without a change keeps the author of the last one', () => {
  const live = aGroup({ updatedBy: 'key:first', requestId: 'r1', description: 'd' })
  const patched = (description: string) =>
    answerTo(updateGroup({ patch: { description }, now: LATER, author: AUTHOR })(live))
  assert.deepEqual(patched('new').updatedBy, AUTHOR.updatedBy)
  assert.deepEqual(patched('new').requestId, AUTHOR.requestId)
  assert.deepEqual(patched('d'), live)
})
