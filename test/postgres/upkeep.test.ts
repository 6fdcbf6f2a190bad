/** What is left over in a database is removed, and who watches is told what that costs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { Sessions } from '../../src/engines/postgres/sessions.ts'
import { Sweep } from '../../src/engines/postgres/sweep.ts'
import { createGroup } from '../../src/group/create-group.ts'
import { deleteGroup } from '../../src/group/delete-group.ts'
import { putGroupMember, removeGroupMember } from '../../src/group/put-group-member.ts'
import { systemClock } from '../../src/process/clock.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { until } from '../cluster/waiting.ts'
import { anEngine, databaseOf, emptyDatabase, sharedTrio, TIMEOUT_MS } from './shared-trio.ts'
import type { Trio } from './trio.ts'

leaveNothing()

const NOW = '2026-01-01T00:00:00.000Z'
const MINUTE_MS = 60_000

type Started = Awaited<ReturnType<typeof anEngine>>

const create = ({ engine }: Started, groupId: string, incarnation = groupId) =>
  engine.registry.change(groupId, createGroup({ groupId, now: NOW, author: AUTHOR, incarnation }))

const remove = ({ engine }: Started, groupId: string) => engine.registry.change(groupId, deleteGroup({}))

const put = ({ engine }: Started, groupId: string, memberId: string) =>
  engine.groupMembers.put(
    groupId,
    memberId,
    putGroupMember({ memberId, now: NOW, author: AUTHOR, incarnation: memberId }),
  )

/** Somebody who follows an engine. `given`: the ids of the groups that have changed. */
async function follow({ engine }: Started) {
  const given: string[] = []
  let lostCount = 0
  const following = engine.changes.follow({
    onChange: ({ groupId, group }) => given.push(group === undefined ? `${groupId} gone` : groupId),
    onCovered: () => {},
    onLost: () => {
      lostCount += 1
    },
  })
  await until('it is covered', MINUTE_MS, () => following.isCovered)
  return { following, given, lostCount: () => lostCount }
}

/** What has changed since a place. `undefined`: the place does not go on. */
async function since({ following }: Awaited<ReturnType<typeof follow>>, place: string) {
  const found: string[] = []
  const goesOn = await following.since(place, async (changes) => {
    for (const { groupId, group } of changes) found.push(group === undefined ? `${groupId} gone` : groupId)
  })
  return goesOn ? found : undefined
}

/** Passes over a database once, as if an hour had gone. */
async function sweep(trio: Trio, database: string): Promise<number> {
  for (const table of ['register', 'group_member']) {
    await trio.primary.query(
      `update cohort.${table} set updated_at = updated_at - interval '2 hours'`,
      [],
      database,
    )
  }
  const logger = pino({ level: 'silent' })
  const options = { clock: systemClock, timeoutMs: TIMEOUT_MS, logger }
  const url = trio.url(database, [trio.primary])
  const sessions = new Sessions({ ...options, database: databaseOf(url), clusterId: undefined })
  const sweeper = new Sweep({ ...options, sessions, whyNoWrites: () => undefined })
  await sweeper.pass()
  sessions.close()
  return sweeper.removedCount
}

async function countOf(trio: Trio, table: string, database: string): Promise<number> {
  const [row] = await trio.primary.query<{ count: number }>(
    `select count(*)::integer as count from cohort.${table}`,
    [],
    database,
  )
  return row!.count
}

test('old tombstones and members of groups that are gone are removed, and what counts stays', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using started = await anEngine(trio.url(database, [trio.primary]))
  for (const groupId of ['stays', 'goes', 'again']) {
    await create(started, groupId)
    for (const memberId of ['a', 'b']) await put(started, groupId, memberId)
  }
  await started.engine.groupMembers.remove('stays', 'b', removeGroupMember({}))
  await remove(started, 'goes')
  await remove(started, 'again')
  await create(started, 'again', 'again-2')
  await put(started, 'again', 'c')
  // A tombstone of a group; one of a member; two members of a life that is over, twice.
  assert.equal(await sweep(trio, database), 6)
  assert.equal(await countOf(trio, 'register', database), 2)
  assert.equal(await countOf(trio, 'group_member', database), 2)
  const list = await started.engine.groupMembers.list('again', {
    after: undefined,
    limit: 9,
    role: undefined,
  })
  assert.deepEqual(list.kind === 'done' && list.value.members?.map(({ memberId }) => memberId), ['c'])
  assert.equal(await sweep(trio, database), 0)
})

test('a place goes on at another connector, and after a crash, until a tombstone after it is removed', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using one = await anEngine(trio.url(database, [trio.primary]))
  await using other = await anEngine(trio.url(database, [trio.primary]))
  const first = await follow(one)
  for (const groupId of ['before', 'gone', 'later gone']) await create(one, groupId)
  await until('all are told', MINUTE_MS, () => first.given.length === 3)
  let place = first.following.place!
  await until('there is a place after them', MINUTE_MS, async () => {
    place = first.following.place!
    return (await since(first, place))?.length === 0
  })
  await create(one, 'after')
  await remove(one, 'gone')
  const second = await follow(other)
  assert.deepEqual((await since(second, place))?.toSorted(), ['after', 'gone gone'])
  await trio.primary.crash(database)
  await until('changes are made again', MINUTE_MS, async () => {
    return (await create(other, 'after the crash')).kind === 'done'
  })
  await until('it goes on after the crash', MINUTE_MS, async () => {
    const found = await since(second, place)
    return found?.toSorted().join() === 'after,after the crash,gone gone'
  })
  await sweep(trio, database)
  assert.equal(await since(second, place), undefined)
  await trio.untilSynchronous(2)
})

test('after a promotion who watches is told to begin again, and no place of before goes on', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using started = await anEngine(trio.url(database))
  const watcher = await follow(started)
  await create(started, 'before')
  await until('it is told', MINUTE_MS, () => watcher.given.includes('before'))
  await until('there is a place', MINUTE_MS, () => watcher.following.place !== undefined)
  const place = watcher.following.place!
  const old = await trio.failOver()
  await until('it is lost, and covered again', MINUTE_MS, () => {
    return watcher.lostCount() > 0 && watcher.following.isCovered
  })
  assert.equal(await since(watcher, place), undefined)
  await until('changes are made', MINUTE_MS, async () => (await create(started, 'after')).kind === 'done')
  await until('they are told', MINUTE_MS, () => watcher.given.includes('after'))
  await trio.rejoin(old)
})
