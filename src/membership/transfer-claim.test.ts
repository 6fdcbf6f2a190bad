import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Decision } from '../register/operation.ts'
import type { Value } from '../register/state.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { CLAIM_MS, TransferClaim, type TransferClaimOptions } from './transfer-claim.ts'

const OWN = { done: 0, total: 10 }

/** Claims of several connectors on one register. */
function someClaims() {
  const clock = new ManualClock()
  let value: Value
  const submit = async (_key: string, decide: (value: Value) => Decision) => {
    const decision = decide(value)
    assert.ok(decision.kind !== 'unreadable')
    if (decision.kind === 'propose') value = decision.value
    return { kind: 'decided', result: decision.result }
  }
  const client = { submit } as unknown as TransferClaimOptions['client']
  const newClaim = (owner: string, isEager: boolean, epoch = 2) =>
    new TransferClaim({ epoch, client, owner, clock }, isEager)
  return { clock, newClaim }
}

test('a claim that is renewed is never taken over, and one that is not is, after its time', async () => {
  const { clock, newClaim } = someClaims()
  const first = newClaim('a', true)
  const second = newClaim('b', false)
  await first.tick(OWN)
  assert.ok(first.isOurs)
  for (let beat = 0; beat < 30; beat += 1) {
    clock.advance(1_000)
    await first.tick({ done: beat, total: 30 })
    await second.tick(OWN)
    assert.deepEqual([first.isOurs, second.isOurs, second.progress?.done], [true, false, beat])
  }
  let waitedMs = 0
  while (!second.isOurs) {
    clock.advance(1_000)
    waitedMs += 1_000
    assert.ok(waitedMs <= CLAIM_MS + 1_000, 'it is taken over')
    await second.tick(OWN)
  }
  assert.ok(waitedMs >= CLAIM_MS, `${waitedMs} ms`)
  await first.tick(OWN)
  assert.ok(!first.isOurs, 'who comes back does not take it again')
})

test('a claim of another epoch counts for nothing', async () => {
  const { clock, newClaim } = someClaims()
  const first = newClaim('a', true)
  await first.tick(OWN)
  clock.advance(CLAIM_MS)
  // What is in the register is of epoch 2: in epoch 3 nobody has claimed anything.
  const next = newClaim('b', true, 3)
  await next.tick(OWN)
  assert.ok(next.isOurs)
  await first.tick(OWN)
  assert.deepEqual([next.isOurs, first.progress], [true, undefined])
})
