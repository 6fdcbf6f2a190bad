import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareKeys } from '../../../rpc/key-order.ts'
import { anyText } from '../../../testing/text-arbitraries.ts'
import { GROUP_NAMESPACE } from '../group-registry.ts'
import { API_KEY_NAMESPACE_END } from '../register-key-store.ts'
import {
  ENTRY_RANGE,
  entriesOfMember,
  entryKey,
  MEMBER_RANGE,
  type MemberOfLife,
  memberKey,
  membersOfLife,
  parseEntryKey,
  parseMemberKey,
} from './member-keys.ts'

type KeyRange = Readonly<{ start: string; end: string }>

// So that many are a prefix of another one, or differ from it by a space.
const id = fc.oneof(
  fc.constantFrom('a', 'a ', 'a!', 'ab', 'a/', '/', '🦊', '\uffff'),
  anyText({ minLength: 1, maxLength: 4 }).filter(
    (text) => text !== '' && text.isWellFormed() && !/\p{Cc}/u.test(text),
  ),
)
const at: fc.Arbitrary<MemberOfLife> = fc.record(
  {
    groupId: id,
    life: fc.constantFrom('l', 'l-1', 'l-2'),
    memberId: id,
  },
  { noNullPrototype: true },
)

const isIn = (key: string, { start, end }: KeyRange) =>
  compareKeys(key, start) >= 0 && compareKeys(key, end) < 0

test('a key names what it was made of, and nothing else', () => {
  fc.assert(
    fc.property(at, (one) => {
      assert.deepEqual(parseMemberKey(memberKey(one)), one)
      assert.deepEqual(parseEntryKey(entryKey(one)), one)
      assert.equal(parseMemberKey(entryKey(one)), undefined)
      assert.equal(parseEntryKey(memberKey(one)), undefined)
      assert.ok(isIn(memberKey(one), MEMBER_RANGE) && isIn(entryKey(one), ENTRY_RANGE))
      for (const key of [memberKey(one), entryKey(one)])
        assert.ok(isIn(key, { start: API_KEY_NAMESPACE_END, end: GROUP_NAMESPACE }))
    }),
  )
})

test('a range has the members of one life after an id, in the order of the ids, and no others', () => {
  fc.assert(
    fc.property(at, at, fc.option(id, { nil: undefined }), (one, other, after) => {
      const range = membersOfLife(one.groupId, one.life, after)
      const isOfLife = other.groupId === one.groupId && other.life === one.life
      const isAfter = after === undefined || compareKeys(other.memberId, after) > 0
      assert.equal(isIn(memberKey(other), range), isOfLife && isAfter)
    }),
  )
})

test('a range has the entries of one member for groups after an id, with a prefix, and no others', () => {
  const maybe = fc.option(id, { nil: undefined })
  fc.assert(
    fc.property(at, at, maybe, maybe, (one, other, after, prefix) => {
      const range = entriesOfMember(one.memberId, { after, prefix })
      const isAfter = after === undefined || compareKeys(other.groupId, after) > 0
      assert.equal(
        isIn(entryKey(other), range),
        other.memberId === one.memberId && isAfter && other.groupId.startsWith(prefix ?? ''),
      )
    }),
  )
})
