import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { group } from '../testing/group-arbitraries.ts'
import { etagOf, matchesStrongly, matchesWeakly, parseEtagCondition } from './etag.ts'

test("a group's own entity tag matches it, both ways", () => {
  fc.assert(
    fc.property(group, (value) => {
      const condition = parseEtagCondition(etagOf(value))
      assert.ok(condition !== undefined)
      assert.ok(matchesStrongly(condition, value))
      assert.ok(matchesWeakly(condition, value))
    }),
  )
})

test('a weak tag matches for If-None-Match, never for If-Match', () => {
  fc.assert(
    fc.property(group, (value) => {
      const condition = parseEtagCondition(`W/${etagOf(value)}`)
      assert.ok(condition !== undefined)
      assert.ok(!matchesStrongly(condition, value))
      assert.ok(matchesWeakly(condition, value))
    }),
  )
})

test('another version, and another life, have other tags', () => {
  fc.assert(
    fc.property(group, (value) => {
      const condition = parseEtagCondition(etagOf(value))
      assert.ok(condition !== undefined)
      assert.ok(!matchesStrongly(condition, { ...value, version: value.version + 1 }))
      assert.ok(!matchesStrongly(condition, { ...value, incarnation: `${value.incarnation}0` }))
    }),
  )
})

test('a list matches if one of it does, in whatever spacing', () => {
  for (const text of [
    '"a","1-i"',
    '"a" , "1-i"',
    'W/"x",  "1-i" ',
    '"a,b","1-i"',
    '"","1-i"',
    ',"1-i"',
    '"1-i",',
    ' ,, "a" ,\t, "1-i",, ',
  ]) {
    const condition = parseEtagCondition(text)
    assert.ok(condition !== undefined, text)
    assert.ok(matchesStrongly(condition, { version: 1, incarnation: 'i' }), text)
  }
})

test('a list without entity tags matches nothing', () => {
  for (const text of ['', ' ', ',', ' , ,\t,'])
    assert.deepEqual(parseEtagCondition(text), [], JSON.stringify(text))
})

test('what is not a list of entity tags is not read as one', () => {
  for (const text of [
    ',a',
    ', ,"a" "b",',
    'abc',
    '"',
    '"a',
    'a"',
    '"a" "b"',
    '*,"a"',
    '"a",*',
    'w/"a"',
    'W/ "a"',
    '"a\u0000"',
  ]) {
    assert.equal(parseEtagCondition(text), undefined, JSON.stringify(text))
  }
  assert.equal(parseEtagCondition(' * '), '*')
})

test('a long header is read in linear time', { timeout: 5_000 }, () => {
  assert.equal(parseEtagCondition(`${'"a", '.repeat(20_000)}x`), undefined)
  assert.equal(parseEtagCondition(`"a"${' '.repeat(100_000)}x`), undefined)
  assert.equal(parseEtagCondition(`${' '.repeat(100_000)}x`), undefined)
  assert.equal(parseEtagCondition(`${', '.repeat(100_000)}x`), undefined)
})
