import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { PLAUSIBLE_ROUND_MAX } from '../register/ballot.ts'
import type { Memory } from '../register/proposer.ts'
import { ABSENT, successor } from '../register/state.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { ViewCache } from './view-cache.ts'

const AGE_MS = 1_000

function aCache(bytesMax = 1_000_000) {
  const clock = new ManualClock()
  let implausible = 0
  const onImplausible = () => {
    implausible += 1
  }
  const cache = new ViewCache({ clock, bytesMax, ageMsMax: AGE_MS, onImplausible })
  return { clock, cache, implausibleCount: () => implausible }
}

function aMemory(round: number, value: Uint8Array = new Uint8Array(10)): Memory {
  const state = successor(ABSENT, { proposerId: 7, sequence: round }, value)
  return { view: { state, next: { round, proposerId: 0 } }, highestRoundNumber: round }
}

test('what is remembered of all keys stays below the limit, the newest is kept, and the floor covers the others', () => {
  const { cache } = aCache(20_000)
  for (let i = 1; i <= 500; i += 1) {
    cache.remember(`key-${i}`, aMemory(i, new Uint8Array(100 * (i % 7))), 0)
    assert.ok(cache.bytes <= 20_000)
  }
  assert.equal(cache.recall('key-500', 0)?.highestRoundNumber, 500)
  const forgotten = Array.from({ length: 500 }, (_, index) => index + 1).filter(
    (i) => cache.recall(`key-${i}`, 0) === undefined,
  )
  assert.ok(forgotten.length > 400)
  assert.equal(cache.roundNumberFloor, forgotten.at(-1))
})

test('a memory that is larger than the whole cache is forgotten at once, with the one before it', () => {
  const { cache } = aCache(2_000)
  cache.remember('other', aMemory(3), 0)
  cache.remember('k', aMemory(5), 0)
  cache.remember('k', aMemory(6, new Uint8Array(5_000)), 0)
  assert.equal(cache.recall('k', 0), undefined)
  assert.equal(cache.roundNumberFloor, 6)
  assert.equal(cache.recall('other', 0)?.highestRoundNumber, 3)
})

test('large states leave nothing behind but the floor, which covers their round numbers', () => {
  const { cache, implausibleCount } = aCache()
  const large = (round: number) => aMemory(round, new Uint8Array(16 * 1024 + 1))
  cache.remember('small', aMemory(5, new Uint8Array(16 * 1024)), 0)
  assert.equal(cache.recall('small', 0)!.view!.state.value!.byteLength, 16 * 1024)
  const { bytes } = cache
  for (let i = 0; i < 1_000; i += 1) cache.remember(`large-${i}`, large(i % 7), 0)
  assert.deepEqual([cache.bytes, cache.roundNumberFloor], [bytes, 6])
  cache.remember('small', large(8), 0)
  assert.deepEqual([cache.bytes, cache.roundNumberFloor], [0, 8])
  // All keys would use an implausible number, so its key alone remembers it.
  cache.remember('planted', large(PLAUSIBLE_ROUND_MAX + 1), 0)
  assert.equal(cache.recall('planted', 0)?.highestRoundNumber, PLAUSIBLE_ROUND_MAX + 1)
  assert.deepEqual([cache.roundNumberFloor, implausibleCount()], [8, 0])
})

test('a memory is forgotten when it is too old, and a memory without news keeps its age', () => {
  const { clock, cache } = aCache()
  const memory = aMemory(4)
  cache.remember('k', memory, 0)
  clock.advance(AGE_MS - 1)
  cache.remember('k', cache.recall('k', 0)!, 0)
  clock.advance(2)
  assert.equal(cache.recall('k', 0), undefined)
  assert.equal(cache.roundNumberFloor, 4)
})

test('a forgotten key with an implausible round number does not raise the floor: it is reported', () => {
  const { cache, implausibleCount } = aCache(2_000)
  cache.remember('fine', aMemory(7), 0)
  cache.remember('planted', aMemory(PLAUSIBLE_ROUND_MAX + 1), 0)
  for (let i = 0; i < 10; i += 1) cache.remember(`other-${i}`, aMemory(2), 0)
  assert.deepEqual([cache.roundNumberFloor, implausibleCount()], [7, 1])
})

test('after a stream was lost, a memory has no view any more, and still its round number', () => {
  const { cache } = aCache()
  cache.remember('k', aMemory(4), 1)
  assert.deepEqual(cache.recall('k', 2), { view: undefined, highestRoundNumber: 4 })
})

test('a kept value does not keep its whole message in memory, and its bytes are the same', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const { cache } = aCache()
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
  function rememberPartOfMessage(): WeakRef<ArrayBuffer> {
    const message = new Uint8Array(100_000)
    message.set(bytes, 500)
    cache.remember('k', aMemory(4, message.subarray(500, 756)), 0)
    return new WeakRef(message.buffer)
  }
  const message = rememberPartOfMessage()
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  assert.equal(message.deref(), undefined)
  assert.deepEqual([...cache.recall('k', 0)!.view!.state.value!], [...bytes])
})

test('an age may have a fraction of a millisecond: a grace time need not be a multiple of ten', () => {
  const clock = new ManualClock()
  const cache = new ViewCache({ clock, bytesMax: 10_000, ageMsMax: 100.7, onImplausible: () => {} })
  cache.remember('k', aMemory(4), 0)
  clock.advance(100)
  assert.equal(cache.recall('k', 0)?.highestRoundNumber, 4)
  clock.advance(1)
  assert.equal(cache.recall('k', 0), undefined)
})
