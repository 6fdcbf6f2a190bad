import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Member, Membership } from '../rpc/messages.ts'
import { type ChangePlan, finish, planAdd, planRemove, planReplace, requireSpare } from './plan-change.ts'

const member = (nodeId: string): Member => ({ nodeId, address: `${nodeId}:1` })

function stable(...ids: readonly string[]): Membership {
  return { clusterId: 'c', epoch: 4, members: ids.map(member), tombstoneGraceMs: 7_000 }
}

function chosen(plan: ChangePlan): Membership {
  assert.equal(plan.kind, 'change', 'reason' in plan ? plan.reason : '')
  return plan.kind === 'change' ? plan.membership : assert.fail()
}

function ids(members: readonly Member[] | undefined): string[] | undefined {
  return members?.map(({ nodeId }) => nodeId)
}

function refusal(plan: ChangePlan): string {
  return plan.kind === 'refused' ? plan.code : assert.fail('it was not refused')
}

test('every change is a joint epoch first, and then one of the wanted members alone', () => {
  const three = stable('a', 'b', 'c')
  for (const [plan, wanted] of [
    [planAdd(three, member('d')), ['a', 'b', 'c', 'd']],
    [planReplace(three, 'b', member('d')), ['a', 'd', 'c']],
    [planRemove(stable('a', 'b', 'c', 'd'), 'b'), ['a', 'c', 'd']],
  ] as const) {
    const joint = chosen(plan)
    assert.deepEqual(ids(joint.members), wanted)
    assert.equal(joint.epoch, 5)
    assert.notEqual(joint.outgoing, undefined)
    assert.deepEqual(finish(joint), {
      clusterId: 'c',
      epoch: 6,
      members: joint.members,
      tombstoneGraceMs: 7_000,
    })
  }
  assert.deepEqual(ids(chosen(planAdd(three, member('d'))).outgoing), ['a', 'b', 'c'])
})

test('there is one change at a time', () => {
  const joint = chosen(planAdd(stable('a', 'b', 'c'), member('d')))
  assert.equal(refusal(planAdd(joint, member('e'))), 'change_in_progress')
  assert.equal(refusal(planRemove(joint, 'a')), 'change_in_progress')
  assert.equal(refusal(planReplace(joint, 'a', member('e'))), 'change_in_progress')
})

test('a change is undone by removing the joining node', () => {
  for (const begun of [
    planAdd(stable('a', 'b', 'c'), member('d')),
    planReplace(stable('a', 'b', 'c'), 'b', member('d')),
  ]) {
    assert.deepEqual(chosen(planRemove(chosen(begun), 'd')), { ...stable('a', 'b', 'c'), epoch: 6 })
  }
})

test('a node that is lost while it joins is replaced within the same change', () => {
  const begun = chosen(planReplace(stable('a', 'b', 'c'), 'b', member('d')))
  const next = chosen(planReplace(begun, 'd', member('e')))
  assert.deepEqual([ids(next.members), ids(next.outgoing), next.epoch], [['a', 'e', 'c'], ['a', 'b', 'c'], 6])
})

test('a cluster keeps 3 to 7 members, or the one it has', () => {
  assert.equal(refusal(planRemove(stable('a', 'b', 'c'), 'a')), 'too_few_members')
  assert.equal(refusal(planRemove(stable('a'), 'a')), 'too_few_members')
  assert.equal(refusal(planAdd(stable('a'), member('b'))), 'too_few_members')
  const seven = stable('a', 'b', 'c', 'd', 'e', 'f', 'g')
  assert.equal(refusal(planAdd(seven, member('h'))), 'too_many_members')
  assert.deepEqual(ids(chosen(planReplace(stable('a'), 'a', member('b'))).members), ['b'])
  assert.equal(chosen(planReplace(seven, 'a', member('h'))).members.length, 7)
})

test('no change begins that would depend on the joining node alone', () => {
  const three = stable('a', 'b', 'c')
  const without =
    (...missing: string[]) =>
    (nodeId: string) =>
      !missing.includes(nodeId)
  const began = (plan: ChangePlan) => plan.kind === 'change'
  assert.ok(began(requireSpare(planReplace(three, 'c', member('d')), without('c', 'd'))))
  assert.equal(
    refusal(requireSpare(planReplace(three, 'b', member('d')), without('c'))),
    'members_unreachable',
    'another than the missing one',
  )
  assert.ok(began(requireSpare(planAdd(three, member('d')), without('d'))))
  assert.equal(refusal(requireSpare(planAdd(three, member('d')), without('c'))), 'members_unreachable')
  assert.ok(began(requireSpare(planRemove(stable('a', 'b', 'c', 'd'), 'd'), without('d', 'c'))))
  assert.equal(
    refusal(requireSpare(planReplace(stable('a'), 'a', member('b')), without())),
    'too_few_members',
  )
})

test('a node that is not a member cannot be removed, and a member cannot be added again', () => {
  const three = stable('a', 'b', 'c')
  assert.equal(refusal(planRemove(three, 'x')), 'member_not_found')
  assert.equal(refusal(planReplace(three, 'x', member('d'))), 'member_not_found')
  assert.equal(refusal(planAdd(three, member('c'))), 'already_a_member')
  assert.equal(refusal(planReplace(three, 'a', member('c'))), 'already_a_member')
})
