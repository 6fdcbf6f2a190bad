import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quorumsOf, unanimousQuorums } from './quorum.ts'

const SIZES = [1, 2, 3, 4, 5, 6, 7]

/** All sets of exactly `size` of `n` nodes, as bit masks. */
function setsOf(n: number, size: number): number[] {
  return Array.from({ length: 2 ** n }, (_, mask) => mask).filter((mask) => countBits(mask) === size)
}

function countBits(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length
}

test('the sizes are those of the protocol', () => {
  const sizes = SIZES.map((n) => [n, quorumsOf(n).classic, quorumsOf(n).fast])
  assert.deepEqual(sizes, [
    [1, 1, 1],
    [2, 2, 2],
    [3, 2, 3],
    [4, 3, 3],
    [5, 3, 4],
    [6, 4, 5],
    [7, 4, 6],
  ])
})

test('any two classic quorums meet, and a smaller one would not', () => {
  for (const n of SIZES) {
    const { classic } = quorumsOf(n)
    const meets = (size: number) => setsOf(n, size).every((a) => setsOf(n, size).every((b) => (a & b) !== 0))
    assert.ok(meets(classic), `n = ${n}`)
    assert.ok(!meets(classic - 1), `n = ${n}, one less`)
  }
})

test('any two fast quorums and any classic one meet in a node, and smaller fast ones would not', () => {
  for (const n of SIZES) {
    const { classic, fast } = quorumsOf(n)
    const classics = setsOf(n, classic)
    const meets = (size: number) => {
      const fasts = setsOf(n, size)
      return fasts.every((a) => fasts.every((b) => classics.every((c) => (a & b & c) !== 0)))
    }
    assert.ok(meets(fast), `n = ${n}`)
    assert.ok(!meets(fast - 1), `n = ${n}, one less`)
  }
})

test('a membership has 1 to 7 nodes', () => {
  for (const n of [0, 8, -1, 2.5, Number.NaN])
    assert.throws(() => quorumsOf(n), assert.AssertionError, `${n}`)
})

test('a birth needs every node for everything', () => {
  assert.deepEqual(unanimousQuorums(3), { n: 3, classic: 3, fast: 3 })
})
