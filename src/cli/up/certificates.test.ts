import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepRenewing } from './certificates.ts'

const DAY_MS = 86_400_000

test('certificates are renewed once a day, whatever a renewal says, until that is ended', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let renewed = 0
  const failures: string[] = []
  const end = keepRenewing(
    async () => {
      renewed += 1
      if (renewed === 1) throw new Error('the disk is full')
    },
    (reason) => failures.push(reason),
  )
  t.mock.timers.tick(DAY_MS - 1)
  assert.equal(renewed, 0)
  t.mock.timers.tick(1)
  assert.equal(renewed, 1)
  t.mock.timers.tick(2 * DAY_MS)
  assert.equal(renewed, 3)
  await undefined
  await undefined
  assert.deepEqual(failures, ['the disk is full'])
  end()
  t.mock.timers.tick(10 * DAY_MS)
  assert.equal(renewed, 3)
})
