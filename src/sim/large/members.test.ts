import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MEMBER_MUTATIONS } from '../members/member-mutations.ts'
import { assertNoticed } from '../notice.ts'
import { PROTOCOL } from '../protocol.ts'
import { newMemberProtocol } from './connector-process.ts'
import { runLarge } from './world.ts'

test('no rule breaks in whole systems whose clients add, check and remove members', async () => {
  let operationCount = 0
  for (const seed of [4, 5, 6]) {
    const run = await runLarge(seed, PROTOCOL, { newMemberProtocol })
    operationCount += run.memberOperationCount
    assert.equal(run.failure, undefined, `seed ${seed}, ${run.description}: ${run.failure?.message}`)
  }
  assert.ok(operationCount > 100, `${operationCount} operations on members`)
})

/** Small and calm, so that a failure comes soon. */
const SMALL = {
  disksSpoil: false,
  nodeCounts: [3],
  bounds: { keysMax: 2, clientsMax: 6, operationsMax: 200, changesMax: 0 },
}

for (const [name, seed] of [
  ['the index is written after the group member', 102],
  ['a remembered life is not checked', 102],
] as const) {
  test(`in a whole system too it is noticed when ${name}`, async (t) => {
    const mutation = MEMBER_MUTATIONS.find((each) => each.name === name)!
    const options = { ...SMALL, newMemberProtocol: mutation.rules.newProtocol }
    const failureOf = async (candidate: number) => (await runLarge(candidate, PROTOCOL, options)).failure
    const failure = await assertNoticed(t, { seed, firstSeed: 101, seedsMax: 20 }, failureOf)
    assert.match(failure.message, /history of members|has its entry in the index/)
  })
}
