import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Latencies } from './latencies.ts'

function latenciesOf(ms: readonly number[]): Latencies {
  const latencies = new Latencies()
  for (const one of ms) latencies.add(one)
  return latencies
}

test('percentiles are by nearest rank', () => {
  const hundred = latenciesOf(Array.from({ length: 100 }, (_, index) => 100 - index))
  assert.deepEqual(hundred.percentiles([0, 1, 50, 99, 100]), [1, 1, 50, 99, 100])
  assert.deepEqual(latenciesOf([7]).percentiles([0, 50, 99, 100]), [7, 7, 7, 7])
  assert.deepEqual(latenciesOf([2, 10]).percentiles([50, 51]), [2, 10])
})

test('without latencies there are no percentiles', () => {
  assert.deepEqual(latenciesOf([]).percentiles([50, 99]), [undefined, undefined])
})

test('at least p percent are at or below the p-th percentile, and fewer below it', () => {
  const many = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1 })
  fc.assert(
    fc.property(many, fc.integer({ min: 1, max: 100 }), (ms, rank) => {
      const [value] = latenciesOf(ms).percentiles([rank])
      assert.ok(ms.includes(value!))
      assert.ok(ms.filter((one) => one <= value!).length * 100 >= rank * ms.length)
      assert.ok(ms.filter((one) => one < value!).length * 100 < rank * ms.length)
    }),
  )
})
