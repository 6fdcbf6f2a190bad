import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Damages } from './damages.ts'

test('a damage is found once, and ends when its record is replaced, or read whole', () => {
  const found: string[] = []
  const damages = new Damages((key, reason) => found.push(`${key}: ${reason}`))
  assert.deepEqual(damages.note('a', 7, 'checksum'), { promiseBound: 7 })
  assert.deepEqual(damages.note('a', 9, 'checksum'), { promiseBound: 7 }, 'the bound when it was found')
  damages.note('b', 8, 'not readable')
  assert.deepEqual(found, ['a: checksum', 'b: not readable'])
  damages.readWhole('a')
  damages.healed('b')
  damages.healed('b')
  assert.deepEqual([damages.count, damages.foundCount, damages.healedCount], [0, 2, 1])
})

test('a bounded number of damages is remembered, and a further one is reported all the same', () => {
  const damages = new Damages()
  for (let number = 0; number < 100_010; number += 1) damages.note(`k${number}`, 1, 'checksum')
  assert.deepEqual([damages.count, damages.foundCount], [100_000, 100_000])
  assert.deepEqual(damages.note('k100009', 5, 'checksum'), { promiseBound: 5 })
})
