import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KnownGroups } from './known-groups.ts'

test('entity tags are known for as many groups as fit into 16 MiB: those that were used last', () => {
  const groups = new KnownGroups()
  // Each takes about three kilobytes.
  const idOf = (number: number) => `${number}`.padEnd(1_500, 'x')
  for (let number = 0; number < 8_000; number += 1) groups.set(idOf(number), '"1"')
  let count = 0
  for (let number = 0; number < 8_000; number += 1) if (groups.etagOf(idOf(number)) !== undefined) count += 1
  assert.ok(count > 5_000 && count < 5_500, `${count} groups`)
  assert.deepEqual([groups.etagOf(idOf(0)), groups.etagOf(idOf(7_999))], [undefined, '"1"'])
})
