import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChangingElectorate } from './electorate.ts'

const CLASSIC = { proposerId: 7 }
const FAST = { proposerId: 0 }
const [N0, N1, N2, N3, N4] = [1, 2, 4, 8, 16] as const

function members(...nodes: readonly number[]): { nodeId: string }[] {
  return nodes.map((node) => ({ nodeId: `n${node}` }))
}

/** Proposer 7 works in a joint epoch that replaces n2 by n3. */
function replacing(): ChangingElectorate {
  const electorate = new ChangingElectorate()
  electorate.chose({ epoch: 1, members: members(0, 1, 2) })
  electorate.chose({ epoch: 2, members: members(0, 1, 3), outgoing: members(0, 1, 2) })
  electorate.began(7, 2)
  return electorate
}

test('in a joint epoch both sides must have a majority', () => {
  const electorate = replacing()
  assert.ok(!electorate.isEnough(N0 | N3, CLASSIC, 7))
  assert.ok(!electorate.isEnough(N0 | N2, CLASSIC, 7))
  assert.ok(electorate.isEnough(N0 | N2 | N3, CLASSIC, 7))
  assert.ok(electorate.isEnough(N0 | N1, CLASSIC, 7))
})

test('a state that one side has accepted in a joint epoch is chosen when that side is the next membership', () => {
  const electorate = replacing()
  electorate.chose({ epoch: 3, members: members(0, 1, 3) })
  assert.ok(electorate.isEnough(N0 | N3, CLASSIC, 7))
  assert.ok(!electorate.isEnough(N0 | N2, CLASSIC, 7))
})

test('fast votes count only by the members of the epoch of their writer', () => {
  const electorate = new ChangingElectorate()
  electorate.chose({ epoch: 1, members: members(0, 1, 2, 3, 4) })
  electorate.began(5, 1)
  electorate.chose({ epoch: 2, members: members(0, 1, 2, 3), outgoing: members(0, 1, 2, 3, 4) })
  electorate.chose({ epoch: 3, members: members(0, 1, 2, 3) })
  assert.ok(!electorate.isEnough(N0 | N1 | N2, FAST, 5))
  assert.ok(electorate.isEnough(N0 | N1 | N2 | N4, FAST, 5))
})

test('a second membership of one epoch is noticed', () => {
  const electorate = replacing()
  assert.throws(() => electorate.chose({ epoch: 2, members: members(0, 1, 2) }), /one membership per epoch/)
})
