/**
 * What every engine promises: each engine runs these tests, from its own file (`engines.test.ts` here, and
 * test/postgres). A promise that is not tested here is one that an engine may break.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiKey, createKey, recordUse, revokeKey } from '../../access/api-key.ts'
import { EVERYONE } from '../../access/caller.ts'
import { deleteGroup } from '../../group/delete-group.ts'
import { etagOf, parseEtagCondition } from '../../group/etag.ts'
import { showGroup } from '../../group/group-codec.ts'
import { restoreGroup } from '../../group/restore-group.ts'
import { updateGroup } from '../../group/update-group.ts'
import { testLinearizability } from './linearizable.ts'
import { testGroupMembers } from './members.ts'
import { AUTHOR, create, decided, LATER, listAll, NOW, read, type Subject } from './subject.ts'
import { testWatch } from './watch.ts'

/** Tests an engine by all that engines promise. */
export function testEngine(name: string, open: () => Promise<Subject>): void {
  let subject: Subject
  before(async () => {
    subject = await open()
  })
  after(() => subject?.close())
  const claim = (text: string, run: (subject: Subject) => Promise<void>) =>
    test(`${name}: ${text}`, () => run(subject))
  claim('a group that was created is read as it was written', readsWhatWasWritten)
  claim('a change is made if its precondition holds, and refused else', checksPreconditions)
  claim('an id that was deleted can be created again, and no ETag of before matches', createsAgain)
  claim('a command that changes nothing leaves the group as it is', keepsWhatIsUnchanged)
  claim('a group is restored with its ETag, and a repeated restore changes nothing', restores)
  claim('a request with an idempotency key is made once', makesRequestsOnce)
  claim('of many creates of one id at once, one succeeds', createsOnce)
  claim('no update of many at once is lost', losesNoUpdate)
  claim('a list has every group with its prefix, in the order of UTF-8 bytes', listsInOrder)
  claim('a list has the groups that are wanted, and no other', listsWanted)
  claim('a list has each group that stays once, while others come and go', listsWhileChanging)
  claim('API keys are kept, listed and revoked, and are in no list of groups', keepsKeys)
  testLinearizability(claim)
  testGroupMembers(claim)
  testWatch(claim)
}

async function readsWhatWasWritten(subject: Subject): Promise<void> {
  assert.equal(await read(subject, 'read-1'), undefined)
  const decision = await create(subject, 'read-1', { description: 'ä\u0000€😀', labels: { a: '1' } })
  const group = await read(subject, 'read-1')
  assert.ok(decision.kind === 'changed' && group !== undefined)
  assert.deepEqual(group, decision.answer)
  assert.deepEqual(await decided(subject, subject.engine.registry.show('read-1')), showGroup(group))
  assert.equal(await decided(subject, subject.engine.registry.show('read-2')), undefined)
}

async function checksPreconditions(subject: Subject): Promise<void> {
  const { registry } = subject.engine
  const update = (etag: string) =>
    decided(
      subject,
      registry.change(
        'pre-1',
        updateGroup({
          patch: { description: etag },
          now: LATER,
          author: AUTHOR,
          ifMatch: parseEtagCondition(etag),
        }),
      ),
    )
  await create(subject, 'pre-1')
  const first = etagOf((await read(subject, 'pre-1'))!)
  assert.equal((await update(first)).kind, 'changed')
  assert.deepEqual(await update(first), { kind: 'refused', refusal: 'version_mismatch' })
  const group = (await read(subject, 'pre-1'))!
  assert.deepEqual([group.version, group.description, group.updatedAt], [2, first, LATER])
  const removal = deleteGroup({ ifMatch: parseEtagCondition(first) })
  assert.equal((await decided(subject, registry.change('pre-1', removal))).kind, 'refused')
  assert.equal((await read(subject, 'pre-1'))?.version, 2)
}

async function createsAgain(subject: Subject): Promise<void> {
  const { registry } = subject.engine
  await create(subject, 'again-1')
  const before = (await read(subject, 'again-1'))!
  assert.deepEqual(await create(subject, 'again-1'), { kind: 'refused', refusal: 'group_exists' })
  assert.equal((await decided(subject, registry.change('again-1', deleteGroup({})))).kind, 'changed')
  assert.equal(await read(subject, 'again-1'), undefined)
  const refused = await decided(subject, registry.change('again-1', deleteGroup({})))
  assert.deepEqual(refused, { kind: 'refused', refusal: 'group_not_found' })
  assert.equal((await create(subject, 'again-1', { incarnation: 'again-2' })).kind, 'changed')
  const removal = deleteGroup({ ifMatch: parseEtagCondition(etagOf(before)) })
  const mismatch = await decided(subject, registry.change('again-1', removal))
  assert.deepEqual(mismatch, { kind: 'refused', refusal: 'version_mismatch' })
}

async function keepsWhatIsUnchanged(subject: Subject): Promise<void> {
  await create(subject, 'same-1', { description: 'x' })
  const before = await read(subject, 'same-1')
  const same = updateGroup({ patch: { description: 'x' }, now: LATER, author: AUTHOR })
  const decision = await decided(subject, subject.engine.registry.change('same-1', same))
  assert.deepEqual(decision, { kind: 'unchanged', answer: before })
  assert.deepEqual(await read(subject, 'same-1'), before)
}

async function restores(subject: Subject): Promise<void> {
  const { registry } = subject.engine
  await create(subject, 'restored-1', { labels: { a: '1', b: '2' } })
  const backup = (await read(subject, 'restored-1'))!
  await decided(subject, registry.change('restored-1', deleteGroup({})))
  const restore = (life: string) =>
    decided(subject, registry.change('restored-1', restoreGroup(backup, { life, author: AUTHOR })))
  assert.equal((await restore('life-1')).kind, 'changed')
  assert.equal((await restore('life-2')).kind, 'unchanged')
  const group = (await read(subject, 'restored-1'))!
  assert.deepEqual(group, { ...backup, life: 'life-1' })
  assert.equal(etagOf(group), etagOf(backup))
}

async function makesRequestsOnce(subject: Subject): Promise<void> {
  const request = { key: 'k', content: 'c' }
  assert.equal((await create(subject, 'once-1', { request })).kind, 'changed')
  const again = await create(subject, 'once-1', { request, incarnation: 'once-2' })
  assert.deepEqual(again, { kind: 'replayed', answer: await read(subject, 'once-1') })
  const other = await create(subject, 'once-1', { request: { key: 'k', content: 'd' } })
  assert.deepEqual(other, { kind: 'refused', refusal: 'idempotency_key_reused' })
}

async function createsOnce(subject: Subject): Promise<void> {
  const creates = Array.from({ length: 20 }, (_, index) =>
    create(subject, 'race-1', { incarnation: `race-${index}` }),
  )
  const decisions = await subject.during(Promise.all(creates))
  const made = decisions.filter(({ kind }) => kind === 'changed')
  assert.equal(made.length, 1)
  assert.deepEqual(made[0]?.kind === 'changed' && made[0].answer, await read(subject, 'race-1'))
}

async function losesNoUpdate(subject: Subject): Promise<void> {
  await create(subject, 'updates-1')
  const updates = Array.from({ length: 20 }, (_, index) => {
    const patch = { labels: { [`l${index}`]: 'x' } }
    return decided(
      subject,
      subject.engine.registry.change('updates-1', updateGroup({ patch, now: LATER, author: AUTHOR })),
    )
  })
  const versions = (await subject.during(Promise.all(updates))).map((decision) =>
    decision.kind === 'changed' ? decision.answer.version : decision.kind,
  )
  const expected = Array.from({ length: 20 }, (_, index) => index + 2)
  assert.deepEqual(
    versions.toSorted((a, b) => Number(a) - Number(b)),
    expected,
  )
  assert.equal(Object.keys((await read(subject, 'updates-1'))?.labels ?? {}).length, 20)
}

async function listsInOrder(subject: Subject): Promise<void> {
  // By UTF-16 units the last two would be the other way around.
  const groupIds = ['%', '..', 'A', 'Z', '_', 'a', 'a/b', 'aa', 'é', 'ü', '\uff5e', '😀']
  const prefix = 'order/'
  for (const groupId of groupIds.toReversed()) await create(subject, prefix + groupId)
  await create(subject, 'order0')
  for (const limit of [1, 5, 12, 100]) {
    const found = await listAll(subject, { limit, prefix })
    assert.deepEqual(
      found.map(({ groupId }) => groupId),
      groupIds.map((groupId) => prefix + groupId),
      `pages of ${limit}`,
    )
  }
  const rest = await listAll(subject, { limit: 100, prefix, after: `${prefix}a` })
  assert.equal(rest.length, 6)
  // A sign that patterns of a database would read as "any character".
  assert.deepEqual(await listAll(subject, { limit: 100, prefix: 'order%' }), [])
}

async function listsWanted(subject: Subject): Promise<void> {
  for (let index = 0; index < 30; index += 1) {
    await create(subject, `wanted-${100 + index}`, { labels: { third: index % 3 === 0 ? 'yes' : 'no' } })
  }
  const isWanted = ({ labels = {} }: { labels?: Readonly<{ [key: string]: string }> }) =>
    labels.third === 'yes'
  const found = await listAll(subject, { limit: 4, prefix: 'wanted-', isWanted })
  assert.deepEqual(
    found.map(({ groupId }) => groupId),
    Array.from({ length: 10 }, (_, index) => `wanted-${100 + 3 * index}`),
  )
}

async function listsWhileChanging(subject: Subject): Promise<void> {
  const { registry } = subject.engine
  const staying = Array.from({ length: 20 }, (_, index) => `busy-${100 + 10 * index}`)
  for (const groupId of staying) await create(subject, groupId)
  const seen = await listAll(subject, { limit: 3, prefix: 'busy-' }, async (page) => {
    const ids = [1, 2, 3].map((place) => `busy-${100 + ((page * 37 + place * 61) % 200)}x`)
    for (const groupId of ids) await create(subject, groupId, { incarnation: `${groupId}-${page}` })
    await decided(subject, registry.change(ids[0]!, deleteGroup({})))
    const patch = { description: `page ${page}` }
    await decided(
      subject,
      registry.change(staying[page % 20]!, updateGroup({ patch, now: LATER, author: AUTHOR })),
    )
  })
  const ids = seen.map(({ groupId }) => groupId)
  assert.deepEqual(
    ids.filter((groupId) => !groupId.endsWith('x')),
    staying,
  )
  assert.deepEqual(ids, [...new Set(ids)].sort(), 'in order, and each once')
}

async function keepsKeys(subject: Subject): Promise<void> {
  const { keys } = subject.engine
  assert.ok(keys !== undefined, 'it keeps API keys')
  const key = (keyId: string): ApiKey => ({
    keyId,
    name: 'ci',
    role: 'writer',
    hash: 'ab'.repeat(32),
    createdAt: NOW,
    createdBy: 'anonymous:everyone',
  })
  const keyIds = ['bbbbbbb1', 'bbbbbbb2', 'bbbbbbb3']
  for (const keyId of keyIds) {
    assert.equal((await decided(subject, keys.change(keyId, createKey(key(keyId))))).kind, 'changed')
  }
  const refused = await decided(subject, keys.change('bbbbbbb1', createKey(key('bbbbbbb1'))))
  assert.deepEqual(refused, { kind: 'refused', refusal: 'key_exists' })
  await decided(subject, keys.change('bbbbbbb2', recordUse(LATER)))
  assert.equal((await decided(subject, keys.read('bbbbbbb2')))?.lastUsedAt, LATER)
  const listed = async (after: string | undefined) => {
    const page = await decided(subject, keys.scan({ after, limit: 2 }))
    return [page.keys.map(({ keyId }) => keyId), page.after]
  }
  assert.deepEqual(await listed(undefined), [['bbbbbbb1', 'bbbbbbb2'], 'bbbbbbb2'])
  assert.deepEqual(await listed('bbbbbbb2'), [['bbbbbbb3'], undefined])
  await decided(subject, keys.change('bbbbbbb1', revokeKey(EVERYONE)))
  assert.equal(await decided(subject, keys.read('bbbbbbb1')), undefined)
  const groups = await listAll(subject, { limit: 1_000 })
  assert.ok(groups.every(({ groupId }) => typeof groupId === 'string' && !groupId.includes('bbbbbbb')))
  assert.equal(await read(subject, 'bbbbbbb2'), undefined)
}
