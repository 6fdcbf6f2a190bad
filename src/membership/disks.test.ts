import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { Disks } from './disks.ts'
import type { LostDisk, LostDiskFinding } from './lost-disks.ts'

const NONE: LostDiskFinding = { kind: 'none' }

function lost(nodeId: string, newNodeId: string): Readonly<{ kind: 'replaceable'; lost: LostDisk }> {
  const address = `${nodeId}:1`
  return {
    kind: 'replaceable',
    lost: { member: { nodeId, address }, newcomer: { nodeId: newNodeId, address } },
  }
}

/**
 * `Disks` with a replacement time of a minute, the changes that it has begun, and the lines that it has
 * logged.
 */
function someDisks({ replaceAfterMs = 60_000, refusals = 0 } = {}) {
  const clock = new ManualClock()
  const replaced: string[] = []
  const lines: string[] = []
  let refusalsLeft = refusals
  const note = (_: object | string, text?: string) => lines.push(text ?? String(_))
  const disks = new Disks({
    replace: async (nodeId, address) => {
      replaced.push(`${nodeId} at ${address}`)
      refusalsLeft -= 1
      const reason = 'Only 1 of the 2 members that stay answer.'
      return refusalsLeft >= 0
        ? { kind: 'refused', code: 'members_unreachable', reason }
        : { kind: 'unknown', reason: 'nobody looks at it here' }
    },
    replaceAfterMs,
    clock,
    logger: { warn: note, error: note } as never,
  })
  return { clock, disks, replaced, lines }
}

test('an empty node replaces a member when it has been at its address for long enough, and not before', async () => {
  const { clock, disks, replaced } = someDisks()
  await disks.observe(lost('n3', 'new'))
  assert.deepEqual(disks.pending, { ...lost('n3', 'new').lost, dueMs: 60_000 })
  clock.advance(59_999)
  await disks.observe(lost('n3', 'new'))
  assert.deepEqual(replaced, [])
  clock.advance(1)
  await disks.observe(lost('n3', 'new'))
  assert.deepEqual(replaced, ['n3 at n3:1'])
  assert.equal(disks.pending, undefined)
})

test('a disk that is mounted late comes back within that time, and nothing happens; later, the time starts again', async () => {
  const { clock, disks, replaced, lines } = someDisks()
  await disks.observe(lost('n3', 'new'))
  clock.advance(50_000)
  await disks.observe(NONE)
  assert.equal(disks.pending, undefined)
  assert.match(lines.at(-1)!, /no empty node answers at the address of this member any more/)
  await disks.observe(lost('n3', 'new'))
  clock.advance(59_999)
  await disks.observe(lost('n3', 'new'))
  assert.deepEqual(replaced, [])
})

test('for another empty node, and for another member, the time starts again', async () => {
  const { clock, disks, replaced } = someDisks()
  await disks.observe(lost('n3', 'new'))
  clock.advance(60_000)
  await disks.observe(lost('n3', 'newer'))
  clock.advance(30_000)
  await disks.observe(lost('n2', 'newer'))
  clock.advance(59_999)
  await disks.observe(lost('n2', 'newer'))
  assert.deepEqual(replaced, [])
})

test('with a replacement time of 0, two looks are still needed', async () => {
  const { disks, replaced } = someDisks({ replaceAfterMs: 0 })
  await disks.observe(lost('n3', 'new'))
  assert.deepEqual(replaced, [])
  await disks.observe(lost('n3', 'new'))
  assert.deepEqual(replaced, ['n3 at n3:1'])
})

test('a replacement that is refused is tried again, after the whole time', async () => {
  const { clock, disks, replaced } = someDisks({ refusals: 1 })
  for (let second = 0; second <= 60; second += 1) {
    await disks.observe(lost('n3', 'new'))
    clock.advance(1_000)
  }
  assert.equal(replaced.length, 1)
  await disks.observe(lost('n3', 'new'))
  assert.equal(disks.pending?.dueMs, 121_000)
  clock.advance(60_000)
  await disks.observe(lost('n3', 'new'))
  assert.equal(replaced.length, 2)
})

test('a cluster beyond repair is logged once, and no member is replaced', async () => {
  const { clock, disks, replaced, lines } = someDisks()
  for (let look = 0; look < 3; look += 1) {
    await disks.observe({ kind: 'beyond repair', reason: 'two disks are lost' })
    clock.advance(60_000)
  }
  assert.equal(disks.loss, 'two disks are lost')
  assert.deepEqual(lines, ['two disks are lost.'])
  assert.deepEqual(replaced, [])
  await disks.observe(NONE)
  assert.equal(disks.loss, undefined)
})
