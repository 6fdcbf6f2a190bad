/** What every engine promises about the members of groups. */
import assert from 'node:assert/strict'
import { deleteGroup } from '../../group/delete-group.ts'
import type { GroupMember, GroupMemberDecision } from '../../group/group-member.ts'
import type { GroupMembers } from '../../group/group-members.ts'
import { putGroupMember, removeGroupMember } from '../../group/put-group-member.ts'
import { restoreGroup } from '../../group/restore-group.ts'
import { restoreGroupMember } from '../../group/restore-group-member.ts'
import { AUTHOR, create, decided, LATER, NOW, read, type Subject } from './subject.ts'

type Claim = (text: string, run: (subject: Subject) => Promise<void>) => void

/** The claims about the members of groups. */
export function testGroupMembers(claim: Claim): void {
  claim('a member is in a group until it is removed, with a role that may change', keepsMembers)
  claim('a change of a member is made if its precondition holds, and refused else', checksPreconditions)
  claim('a group that is created again, or restored, has no member of before', forgetsMembers)
  claim('no member is in a group that does not exist', refusesWithoutGroup)
  claim('the members of a group are listed in order, once each, in pages of any size', listsMembers)
  claim('the groups of a member are listed in order, without those that are gone', listsGroupsOf)
  claim('a member is restored with its ETag, and a repeated restore changes nothing', restoresMembers)
  claim('a walk over all members has each that counts once', walksAllMembers)
  claim('of many adds of one member at once, one adds it', addsOnce)
  claim('a member that is added while its group is deleted is in no later group', endsWithTheGroup)
}

function membersOf({ engine }: Subject): GroupMembers {
  assert.ok(engine.groupMembers !== undefined, 'it keeps members of groups')
  return engine.groupMembers
}

let drawn = 0

function put(
  subject: Subject,
  groupId: string,
  memberId: string,
  more: Partial<Parameters<typeof putGroupMember>[0]> = {},
): Promise<GroupMemberDecision> {
  drawn += 1
  const command = putGroupMember({ memberId, now: NOW, author: AUTHOR, incarnation: `m${drawn}`, ...more })
  return decided(subject, membersOf(subject).put(groupId, memberId, command))
}

const remove = (subject: Subject, groupId: string, memberId: string) =>
  decided(subject, membersOf(subject).remove(groupId, memberId, removeGroupMember({})))

const removeGroup = (subject: Subject, groupId: string) =>
  decided(subject, subject.engine.registry.change(groupId, deleteGroup({})))

const reading = (subject: Subject, groupId: string, memberId: string) =>
  decided(subject, membersOf(subject).read(groupId, memberId))

async function isIn(subject: Subject, groupId: string, memberId: string): Promise<boolean> {
  return (await reading(subject, groupId, memberId)).member !== undefined
}

/** The members of all pages. */
async function list(subject: Subject, groupId: string, limit: number, role?: string): Promise<string[]> {
  const found: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await decided(subject, membersOf(subject).list(groupId, { after, limit, role }))
    assert.ok(page.members !== undefined && page.members.length <= limit)
    found.push(...page.members.map(({ memberId }) => memberId))
    if (page.after === undefined) return found
    after = page.after
  }
}

async function groupsOf(
  subject: Subject,
  memberId: string,
  { limit = 1_000, prefix = undefined as string | undefined } = {},
): Promise<string[]> {
  const found: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await decided(subject, membersOf(subject).groupsOf(memberId, { after, limit, prefix }))
    assert.ok(page.groups.length <= limit)
    found.push(...page.groups.map(({ groupId, member }) => `${groupId} ${member.role ?? '-'}`))
    if (page.after === undefined) return found
    after = page.after
  }
}

async function keepsMembers(subject: Subject): Promise<void> {
  await create(subject, 'kept-1')
  assert.deepEqual(await reading(subject, 'kept-1', 'alice'), { hasGroup: true, member: undefined })
  const added = await put(subject, 'kept-1', 'alice', { role: 'owner' })
  assert.equal(added.kind, 'added')
  assert.deepEqual((await reading(subject, 'kept-1', 'alice')).member, added.kind === 'added' && added.answer)
  assert.equal((await put(subject, 'kept-1', 'alice', { role: 'owner' })).kind, 'unchanged')
  const changed = await put(subject, 'kept-1', 'alice', { role: 'guest', now: LATER })
  assert.ok(changed.kind === 'changed' && added.kind === 'added')
  const { addedAt, incarnation } = added.answer
  const kept = { memberId: 'alice', incarnation, addedAt, ...AUTHOR }
  assert.deepEqual(changed.answer, { ...kept, role: 'guest', version: 2, updatedAt: LATER })
  assert.equal(await isIn(subject, 'kept-1', 'bob'), false)
  assert.equal((await remove(subject, 'kept-1', 'alice')).kind, 'removed')
  assert.equal(await isIn(subject, 'kept-1', 'alice'), false)
  const again = await remove(subject, 'kept-1', 'alice')
  assert.deepEqual(again, { kind: 'refused', refusal: 'group_member_not_found' })
  const back = await put(subject, 'kept-1', 'alice')
  assert.ok(back.kind === 'added' && back.answer.version === 1)
}

async function checksPreconditions(subject: Subject): Promise<void> {
  await create(subject, 'cond-1')
  const refused = await put(subject, 'cond-1', 'a', { ifMatch: '*' })
  assert.deepEqual(refused, { kind: 'refused', refusal: 'version_mismatch' })
  assert.equal((await put(subject, 'cond-1', 'a', { ifNoneMatch: '*' })).kind, 'added')
  const second = await put(subject, 'cond-1', 'a', { ifNoneMatch: '*', role: 'x' })
  assert.deepEqual(second, { kind: 'refused', refusal: 'precondition_failed' })
}

async function forgetsMembers(subject: Subject): Promise<void> {
  const { registry } = subject.engine
  await create(subject, 'lives-1')
  await put(subject, 'lives-1', 'alice')
  const backup = (await read(subject, 'lives-1'))!
  await removeGroup(subject, 'lives-1')
  assert.deepEqual(await reading(subject, 'lives-1', 'alice'), { hasGroup: false, member: undefined })
  assert.deepEqual(await groupsOf(subject, 'alice', { prefix: 'lives-' }), [])
  await create(subject, 'lives-1', { incarnation: 'lives-1-again' })
  assert.equal(await isIn(subject, 'lives-1', 'alice'), false)
  assert.deepEqual(await list(subject, 'lives-1', 10), [])
  assert.equal((await put(subject, 'lives-1', 'bob')).kind, 'added')
  await removeGroup(subject, 'lives-1')
  await decided(
    subject,
    registry.change('lives-1', restoreGroup(backup, { life: 'lives-r', author: AUTHOR })),
  )
  assert.equal(await isIn(subject, 'lives-1', 'alice'), false)
  assert.equal((await put(subject, 'lives-1', 'alice')).kind, 'added')
  assert.deepEqual(await list(subject, 'lives-1', 10), ['alice'])
  assert.deepEqual(await groupsOf(subject, 'alice', { prefix: 'lives-' }), ['lives-1 -'])
}

async function refusesWithoutGroup(subject: Subject): Promise<void> {
  const refused = { kind: 'refused', refusal: 'group_not_found' }
  assert.deepEqual(await put(subject, 'no-group', 'alice'), refused)
  assert.deepEqual(await remove(subject, 'no-group', 'alice'), refused)
  assert.deepEqual(await reading(subject, 'no-group', 'alice'), { hasGroup: false, member: undefined })
  const page = await decided(
    subject,
    membersOf(subject).list('no-group', { after: undefined, limit: 1, role: undefined }),
  )
  assert.equal(page.members, undefined)
  await create(subject, 'no-group')
  assert.equal(await isIn(subject, 'no-group', 'alice'), false)
}

async function listsMembers(subject: Subject): Promise<void> {
  // By UTF-16 units the last two would be the other way around.
  const memberIds = ['%', 'A', 'Z', '_', 'a', 'a/b', 'aa', 'é', 'ü', '\uff5e', '😀']
  await create(subject, 'listed-1')
  await create(subject, 'listed-2')
  for (const [index, memberId] of memberIds.toReversed().entries()) {
    await put(subject, 'listed-1', memberId, index % 2 === 0 ? { role: 'x' } : {})
  }
  await put(subject, 'listed-2', 'other')
  for (const limit of [1, 5, 11, 1_000]) {
    assert.deepEqual(await list(subject, 'listed-1', limit), memberIds, `pages of ${limit}`)
    const ofRole = memberIds.filter((_, index) => index % 2 === 0)
    assert.deepEqual(await list(subject, 'listed-1', limit, 'x'), ofRole, `pages of ${limit} with a role`)
  }
  assert.deepEqual(await list(subject, 'listed-1', 3, 'nobody'), [])
}

async function listsGroupsOf(subject: Subject): Promise<void> {
  const groupIds = ['of/a', 'of/b', 'of/b2', 'of/c', 'of/é']
  for (const groupId of groupIds) {
    await create(subject, groupId)
    await put(subject, groupId, 'carol', { role: groupId.slice(3) })
    await put(subject, groupId, 'dave')
  }
  for (const limit of [1, 2, 5, 1_000]) {
    const found = await groupsOf(subject, 'carol', { limit, prefix: 'of/' })
    assert.deepEqual(
      found,
      groupIds.map((groupId) => `${groupId} ${groupId.slice(3)}`),
    )
  }
  assert.deepEqual(await groupsOf(subject, 'carol', { prefix: 'of/b' }), ['of/b b', 'of/b2 b2'])
  await remove(subject, 'of/b', 'carol')
  await removeGroup(subject, 'of/c')
  assert.deepEqual(await groupsOf(subject, 'carol'), ['of/a a', 'of/b2 b2', 'of/é é'])
  assert.equal(await isIn(subject, 'of/b', 'dave'), true)
}

async function restoresMembers(subject: Subject): Promise<void> {
  const backup: GroupMember = {
    memberId: 'eve',
    role: 'x',
    version: 7,
    incarnation: 'eve-1',
    addedAt: NOW,
    updatedAt: LATER,
    updatedBy: 'key:of-then',
    requestId: 'request-of-then',
  }
  await create(subject, 'restored-m')
  const restore = (member: GroupMember) =>
    decided(subject, membersOf(subject).put('restored-m', 'eve', restoreGroupMember(member, AUTHOR)))
  assert.equal((await restore(backup)).kind, 'added')
  assert.deepEqual((await reading(subject, 'restored-m', 'eve')).member, backup)
  assert.equal((await restore(backup)).kind, 'unchanged')
  const other = await restore({ ...backup, version: 8 })
  assert.deepEqual(other, { kind: 'refused', refusal: 'precondition_failed' })
}

async function walksAllMembers(subject: Subject): Promise<void> {
  const expected: string[] = []
  for (const groupId of ['walk/1', 'walk/2', 'walk/3']) {
    await create(subject, groupId)
    for (const memberId of ['a', 'b', 'c']) {
      await put(subject, groupId, memberId)
      expected.push(`${groupId} ${memberId}`)
    }
  }
  await create(subject, 'walk/gone')
  await put(subject, 'walk/gone', 'a')
  await removeGroup(subject, 'walk/gone')
  await remove(subject, 'walk/2', 'b')
  for (const limit of [1, 7, 1_000]) {
    const found: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await decided(subject, membersOf(subject).scan({ after, limit }))
      assert.ok(page.members.length <= limit)
      found.push(...page.members.map(({ groupId, member }) => `${groupId} ${member.memberId}`))
      if (page.after === undefined) break
      after = page.after
    }
    assert.equal(new Set(found).size, found.length, 'each once')
    assert.deepEqual(
      found.filter((text) => text.startsWith('walk/')),
      expected.filter((text) => text !== 'walk/2 b'),
    )
  }
}

async function addsOnce(subject: Subject): Promise<void> {
  await create(subject, 'many-adds')
  const adds = Array.from({ length: 20 }, (_, index) => {
    const command = putGroupMember({
      memberId: 'm',
      now: NOW,
      author: AUTHOR,
      incarnation: `i${index}`,
      role: 'same',
    })
    return decided(subject, membersOf(subject).put('many-adds', 'm', command))
  })
  const decisions = await subject.during(Promise.all(adds))
  assert.equal(decisions.filter(({ kind }) => kind === 'added').length, 1)
  assert.equal(decisions.filter(({ kind }) => kind === 'unchanged').length, 19)
}

async function endsWithTheGroup(subject: Subject): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    const groupId = `race-${round}`
    await create(subject, groupId)
    await put(subject, groupId, 'early')
    const adds = [1, 2, 3].map((index) => put(subject, groupId, `m${index}`))
    const both = Promise.all([removeGroup(subject, groupId), ...adds])
    await subject.during(both)
    await create(subject, groupId, { incarnation: `${groupId}-again` })
    assert.deepEqual(await list(subject, groupId, 10), [])
  }
}
