/** `cohort members`, `cohort member` and `cohort groups-of` over HTTP, against the real API. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { describeFailure } from '../../src/cli/failure.ts'
import { Output } from '../../src/cli/output.ts'
import { runProgram } from '../../src/cli/program.ts'
import { testApp } from './test-app.ts'

const world = testApp()
let url = ''

before(async () => {
  url = await world.app.listen({ port: 0, host: '127.0.0.1' })
  for (const groupId of ['team-a', 'team-b', 'x'])
    await world.app.inject({ method: 'POST', url: '/v1/group', payload: { groupId } })
})

after(() => world.app.close())

/** Runs a command in this process: its exit code, and what it prints. */
async function cohort(...args: readonly string[]): Promise<readonly [exitCode: number, printed: string]> {
  let printed = ''
  const output = new Output(
    {
      write: (text: string) => {
        printed += text
      },
      writeAll: async () => {},
      flush: async () => true,
      error: undefined,
    },
    { isTerminal: false, columns: undefined, rows: undefined, hasColours: false },
  )
  const context = { environment: { variables: {}, dotEnv: {} }, stdout: output, stderr: output }
  try {
    await runProgram(context, [...args, '--url', url])
    return [0, printed]
  } catch (error) {
    const failure = describeFailure(error)
    if (failure === undefined) throw error
    return [failure.exitCode, printed + failure.message]
  }
}

const TIME = '2026-01-01T00:00:00.000Z'

test('a member is added, shown, changed and removed', async () => {
  const [added, shown] = await cohort('member', 'add', 'team-a', 'alice', '--role', 'owner')
  assert.equal(added, 0, shown)
  assert.match(
    shown,
    /^memberId +alice\ngroupId +team-a\nrole +owner\nversion +1\netag +"1-i\d+"\nadded +2026-01-01T00:00:00\.000Z\nupdated /,
  )
  const [refused, why] = await cohort('member', 'add', 'team-a', 'alice', '--new')
  assert.equal(refused, 1)
  assert.match(why, /If-None-Match names the version of the member, .*\(412 precondition_failed\)/)
  const [there, json] = await cohort('member', 'check', 'team-a', 'alice', '--json')
  const { requestId, ...rest } = JSON.parse(json)
  assert.deepEqual(
    { there, ...rest },
    {
      there: 0,
      groupId: 'team-a',
      memberId: 'alice',
      role: 'owner',
      version: 1,
      addedAt: TIME,
      updatedAt: TIME,
      updatedBy: 'anonymous:everyone',
    },
  )
  assert.equal(typeof requestId, 'string')
  assert.equal((await cohort('member', 'remove', 'team-a', 'alice', '--if-match', '9-x'))[0], 1)
  assert.equal((await cohort('member', 'remove', 'team-a', 'alice'))[0], 0)
  assert.deepEqual(await cohort('member', 'check', 'team-a', 'alice'), [
    1,
    'The group does not have this member (404 group_member_not_found)',
  ])
  assert.deepEqual(await cohort('member', 'check', 'none', 'alice'), [
    1,
    'No group has this groupId (404 group_not_found)',
  ])
})

test('the members of a group are listed through several pages, as a table, ids or JSON lines', async () => {
  const add = Array.from({ length: 1_000 }, (_, index) => ({
    memberId: `m${String(index).padStart(4, '0')}`,
    ...(index === 3 ? { role: 'owner\u00e9' } : {}),
  }))
  const batch = { method: 'POST', url: '/v1/group/x/members:batch' } as const
  await world.app.inject({ ...batch, payload: { add } })
  await world.app.inject({ ...batch, payload: { add: [{ memberId: 'n' }] } })
  const [, table] = await cohort('members', 'x')
  const lines = table.trimEnd().split('\n')
  assert.equal(lines.length, 1_002)
  assert.match(lines[0]!, /^member +role +version +added$/)
  assert.match(lines[4]!, /^m0003 +owneré +1 +2026-01-01T00:00:00\.000Z$/)
  const [, ids] = await cohort('members', 'x', '--ids')
  assert.deepEqual(ids.trimEnd().split('\n').slice(999), ['m0999', 'n'])
  assert.deepEqual(await cohort('members', 'x', '--role', 'owneré', '--ids'), [0, 'm0003\n'])
  const [, json] = await cohort('members', 'x', '--json', '--limit', '2')
  assert.deepEqual(
    json
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).memberId),
    ['m0000', 'm0001'],
  )
  assert.deepEqual(await cohort('members', 'team-b'), [0, 'no members\n'])
  assert.deepEqual(await cohort('members', 'none'), [1, 'No group has this groupId (404 group_not_found)'])
})

test('the groups of somebody are listed, and an id may be any text', async () => {
  for (const groupId of ['team-a', 'x']) assert.equal((await cohort('member', 'add', groupId, '..'))[0], 0)
  assert.deepEqual(await cohort('groups-of', '..', '--ids'), [0, 'team-a\nx\n'])
  assert.deepEqual(await cohort('groups-of', '..', '--ids', '--prefix', 'team'), [0, 'team-a\n'])
  assert.match((await cohort('groups-of', '..'))[1], /^group +role +version +added\nteam-a /)
  assert.deepEqual(await cohort('groups-of', 'nobody'), [0, 'no groups\n'])
})

test('what cannot be an id is refused before anything is sent', async () => {
  assert.equal((await cohort('member', 'check', 'team-a', ''))[0], 2)
  assert.equal((await cohort('members', 'x', '--limit', '0'))[0], 2)
})
