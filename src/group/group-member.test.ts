import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AUTHOR } from '../testing/author.ts'
import { parseEtagCondition } from './etag.ts'
import type { GroupMember } from './group-member.ts'
import { decodeEntry, decodeGroupMember, encodeEntry, encodeGroupMember } from './group-member-codec.ts'
import { putGroupMember, removeGroupMember } from './put-group-member.ts'
import { restoreGroupMember } from './restore-group-member.ts'

const NOW = '2026-01-01T00:00:00.000Z'
const LATER = '2026-01-02T00:00:00.000Z'
const ALICE: GroupMember = {
  memberId: 'alice',
  role: 'owner',
  version: 3,
  incarnation: 'i',
  addedAt: NOW,
  updatedAt: NOW,
}

test('whoever is not there is added at version 1', () => {
  const added = {
    memberId: 'alice',
    role: 'owner',
    version: 1,
    incarnation: 'x',
    addedAt: NOW,
    updatedAt: NOW,
    ...AUTHOR,
  }
  assert.deepEqual(
    putGroupMember({ author: AUTHOR, memberId: 'alice', role: 'owner', now: NOW, incarnation: 'x' })(
      undefined,
    ),
    { decision: { kind: 'added', answer: added }, next: { member: added } },
  )
})

test('another role, or none, is a change; the same role changes nothing', () => {
  const put = (role: string | undefined) =>
    putGroupMember({ author: AUTHOR, memberId: 'alice', role, now: LATER, incarnation: 'x' })(ALICE)
  assert.deepEqual(put('owner'), { decision: { kind: 'unchanged', answer: ALICE } })
  const guest = { ...ALICE, role: 'guest', version: 4, updatedAt: LATER, ...AUTHOR }
  assert.deepEqual(put('guest'), { decision: { kind: 'changed', answer: guest }, next: { member: guest } })
  const { next } = put(undefined)
  assert.deepEqual(Object.keys(next?.member ?? {}), [
    'memberId',
    'version',
    'incarnation',
    'addedAt',
    'updatedAt',
    'updatedBy',
    'requestId',
  ])
})

test('a restored member keeps the author of its last change, and one without gets that of the restore', () => {
  const then = { updatedBy: 'key:then', requestId: 'request-then' }
  for (const [backup, expected] of [
    [{ ...ALICE, ...then }, then],
    [ALICE, AUTHOR],
  ] as const) {
    const restored = restoreGroupMember(backup, AUTHOR)(undefined).next?.member
    assert.deepEqual(restored, { ...ALICE, ...expected })
    assert.deepEqual(decodeGroupMember(encodeGroupMember(restored!)), restored)
  }
})

test("a clock that went back does not set a member's time back", () => {
  const put = putGroupMember({
    author: AUTHOR,
    memberId: 'alice',
    role: 'guest',
    now: '2025-01-01T00:00:00.000Z',
    incarnation: 'x',
  })
  assert.equal(put(ALICE).next?.member?.updatedAt, NOW)
})

test('preconditions are those of RFC 9110', () => {
  const put = (member: GroupMember | undefined, header: 'ifMatch' | 'ifNoneMatch', text: string) =>
    putGroupMember({
      author: AUTHOR,
      memberId: 'alice',
      role: 'guest',
      now: NOW,
      incarnation: 'x',
      [header]: parseEtagCondition(text),
    })(member).decision
  const kindOf = (decision: ReturnType<typeof put>) =>
    decision.kind === 'refused' ? decision.refusal : decision.kind
  assert.equal(kindOf(put(ALICE, 'ifNoneMatch', '*')), 'precondition_failed')
  assert.equal(kindOf(put(undefined, 'ifNoneMatch', '*')), 'added')
  assert.equal(kindOf(put(undefined, 'ifMatch', '*')), 'version_mismatch')
  assert.equal(kindOf(put(ALICE, 'ifMatch', '*')), 'changed')
  assert.equal(kindOf(put(ALICE, 'ifMatch', '"2-i"')), 'version_mismatch')
  assert.equal(kindOf(put(ALICE, 'ifMatch', '"3-i"')), 'changed')
})

test('a remove shows who was removed; who is not there, and a wrong version, are refused', () => {
  assert.deepEqual(removeGroupMember({})(ALICE), {
    decision: { kind: 'removed', answer: ALICE },
    next: { member: undefined },
  })
  const refused = (refusal: string) => ({ decision: { kind: 'refused', refusal } })
  const stale = { ifMatch: parseEtagCondition('"1-i"') }
  assert.deepEqual(removeGroupMember(stale)(undefined), refused('group_member_not_found'))
  assert.deepEqual(removeGroupMember(stale)(ALICE), refused('version_mismatch'))
})

test('a group member and an entry come back as they were, and other bytes are refused', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.option(fc.string(), { nil: undefined }),
      fc.string(),
      (memberId, role, text) => {
        const { role: _, ...rest } = ALICE
        const member = role === undefined ? { ...rest, memberId } : { ...rest, memberId, role }
        assert.deepEqual(decodeGroupMember(encodeGroupMember(member)), member)
        assert.equal(decodeEntry(encodeEntry(text)), text)
      },
    ),
  )
  for (const wrong of [
    '',
    'null',
    '{}',
    '[]',
    '5',
    JSON.stringify({ ...ALICE, version: 'x' }),
    JSON.stringify({ ...ALICE, updatedBy: 1 }),
  ]) {
    assert.throws(() => decodeGroupMember(Buffer.from(wrong)), Error, wrong)
    assert.throws(() => decodeEntry(Buffer.from(wrong)), Error, wrong)
  }
})
