import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeyTable } from './key-table.ts'

const keys = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', '0', '1', ''), fc.string())

test('a table holds what a Map would, whatever the keys are called', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(keys, fc.option(fc.integer(), { nil: undefined }))), (steps) => {
      const table = new KeyTable<number>()
      const map = new Map<string, number>()
      for (const [key, value] of steps) {
        if (value === undefined) {
          table.delete(key)
          map.delete(key)
        } else {
          table.set(key, value)
          map.set(key, value)
        }
        assert.equal(table.get(key), map.get(key))
      }
      assert.deepEqual(new Map(table.entries()), map)
      table.clear()
      assert.deepEqual(table.entries(), [])
      for (const key of map.keys()) assert.equal(table.get(key), undefined)
    }),
  )
})
