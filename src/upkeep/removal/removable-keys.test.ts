import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeldEntry } from '../../rpc/messages.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { aRecord } from '../../testing/memory-member.ts'
import { nextRemovable } from './removable-keys.ts'

const RANGE = { start: 'a', end: 'z' }
const LIMITS = { pageRecordsMax: 2, pageTimeoutMs: 5_000 }

/** A member that lists these keys, or nothing until its scan is given up. */
function aMember(keys: readonly string[] | 'silent') {
  const seen = { signal: undefined as AbortSignal | undefined, open: 0 }
  const scan = async function* (_: unknown, signal?: AbortSignal): AsyncGenerator<readonly HeldEntry[]> {
    seen.signal = signal
    seen.open += 1
    try {
      if (keys === 'silent')
        await new Promise((_resolve, reject) => {
          signal!.addEventListener('abort', () => reject(signal!.reason))
        })
      else yield keys.map((key) => ({ key, record: aRecord(1, [1]) }))
      yield []
    } finally {
      seen.open -= 1
    }
  }
  const recipient = { clusterId: 'c', epoch: 1, nodeId: 'n' }
  return { member: { recipient, transport: { scan } }, seen }
}

test('a page that all members have given leaves no scan and no timer', async () => {
  const clock = new ManualClock()
  const all = [aMember(['b', 'd']), aMember(['b', 'd']), aMember([])]
  const members = all.map(({ member }) => member)
  const { keys } = await nextRemovable(members, RANGE, clock, LIMITS)
  assert.deepEqual(
    keys.map(({ key, records }) => `${key} ${records.filter(Boolean).length}`),
    ['b 2', 'd 2'],
  )
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([clock.taskCount, ...all.map(({ seen }) => seen.open)], [0, 0, 0, 0])
})

test('a member that does not answer is waited for as long as it may take, and then all scans end', async () => {
  const clock = new ManualClock()
  const all = [aMember(['b']), aMember('silent')]
  let isOver = false
  const asked = nextRemovable(
    all.map(({ member }) => member),
    RANGE,
    clock,
    LIMITS,
  ).finally(() => {
    isOver = true
  })
  asked.catch(() => undefined)
  clock.advance(4_999)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isOver, false)
  clock.advance(1)
  await assert.rejects(asked, /a node does not answer a scan/)
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(all.every(({ seen }) => seen.signal!.aborted))
  assert.deepEqual([clock.taskCount, ...all.map(({ seen }) => seen.open)], [0, 0, 0])
})
