/** Who made each change: in the group itself, and in the audit log. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Caller, newCaller } from '../../src/access/caller.ts'
import type { GrantedRole } from '../../src/access/role.ts'
import { type TestApp, testApp } from './test-app.ts'

const TIMES = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }

type Line = Readonly<{ event: string; [field: string]: unknown }>

/** Knows a caller by the role that it sends. */
const authenticator = {
  kinds: ['a role'],
  authenticate: ({ authorization }: { authorization?: string | undefined }) => {
    if (authorization === undefined) return { kind: 'missing' as const }
    const role = authorization as GrantedRole
    const caller: Caller = newCaller({ kind: 'key', id: `k-${role}`, name: `a ${role}`, role, prefix: '' })
    return { kind: 'known' as const, caller }
  },
}

function aWorld(isOpen = false): TestApp & { lines: Line[] } {
  const lines: Line[] = []
  const audit = { write: (fields: object) => void lines.push(fields as Line) }
  return { ...testApp({ audit, ...(isOpen ? {} : { authenticator }) }), lines }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

function send({ app }: TestApp, method: Method, url: string, role: string | undefined, payload?: object) {
  const headers = { 'x-request-id': `${method}-1`, ...(role === undefined ? {} : { authorization: role }) }
  return app.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) })
}

test('a group names who made its last change, and by which request', async () => {
  const world = aWorld()
  const created = (await send(world, 'POST', '/v1/group', 'writer', { groupId: 'g' })).json()
  assert.deepEqual([created.updatedBy, created.requestId], ['key:k-writer', 'POST-1'])
  const patched = (await send(world, 'PATCH', '/v1/group/g', 'admin', { description: 'd' })).json()
  assert.deepEqual([patched.updatedBy, patched.requestId], ['key:k-admin', 'PATCH-1'])
  assert.deepEqual((await send(world, 'GET', '/v1/group/g', 'reader')).json(), patched)
  assert.deepEqual((await send(world, 'GET', '/v1/group', 'reader')).json().groups, [patched])
})

test('on a connector that asks nobody, everyone is named so', async () => {
  const created = (await send(aWorld(true), 'POST', '/v1/group', undefined, { groupId: 'g' })).json()
  assert.equal(created.updatedBy, 'anonymous:everyone')
})

test('a backup has the author, and a restore keeps it; an older backup gets the author of the restore', async () => {
  const world = aWorld()
  await send(world, 'POST', '/v1/group', 'writer', { groupId: 'g' })
  const { groups } = (await send(world, 'GET', '/v1/backup', 'admin')).json()
  assert.deepEqual([groups[0].updatedBy, groups[0].requestId], ['key:k-writer', 'POST-1'])
  const other = aWorld()
  const old = { groupId: 'old', version: 1, incarnation: 'i', ...TIMES }
  const restored = await send(other, 'POST', '/v1/restore', 'admin', { groups: [...groups, old] })
  assert.deepEqual(restored.json(), { restored: 2, unchanged: 0, conflicts: [] })
  assert.equal((await send(other, 'GET', '/v1/group/g', 'reader')).json().updatedBy, 'key:k-writer')
  assert.equal((await send(other, 'GET', '/v1/group/old', 'reader')).json().updatedBy, 'key:k-admin')
})

test('a member of a group names who has added or changed it, in every answer, in a backup and after a restore', async () => {
  const world = aWorld()
  await send(world, 'POST', '/v1/group', 'admin', { groupId: 'g' })
  const path = '/v1/group/g/members'
  const added = (await send(world, 'PUT', `${path}/alice`, 'writer', { role: 'owner' })).json()
  assert.deepEqual([added.updatedBy, added.requestId], ['key:k-writer', 'PUT-1'])
  await send(world, 'POST', `${path}:batch`, 'admin', { add: [{ memberId: 'bob' }] })
  const authors = async (url: string, field: string) =>
    (await send(world, 'GET', url, 'admin'))
      .json()
      [field].map(
        ({ memberId, updatedBy }: { memberId: string; updatedBy: string }) => `${memberId} ${updatedBy}`,
      )
  assert.deepEqual(await authors(path, 'members'), ['alice key:k-writer', 'bob key:k-admin'])
  assert.deepEqual(await authors('/v1/member/alice/groups', 'groups'), ['alice key:k-writer'])
  // A role that is there already is no change.
  await send(world, 'PUT', `${path}/alice`, 'admin', { role: 'owner' })
  const { members } = (await send(world, 'GET', '/v1/backup/members', 'admin')).json()
  assert.deepEqual([members[0].updatedBy, members[0].requestId], ['key:k-writer', 'PUT-1'])
  const other = aWorld()
  await send(other, 'POST', '/v1/group', 'admin', { groupId: 'g' })
  const { updatedBy: _, requestId: __, ...old } = members[1]
  await send(other, 'POST', '/v1/restore/members', 'admin', {
    members: [members[0], { ...old, memberId: 'old' }],
  })
  assert.equal((await send(other, 'GET', `${path}/alice`, 'reader')).json().updatedBy, 'key:k-writer')
  assert.equal((await send(other, 'GET', `${path}/old`, 'reader')).json().updatedBy, 'key:k-admin')
})

test('the audit log has a line for each change, with what it was about', async () => {
  const world = aWorld()
  await send(world, 'POST', '/v1/group', 'writer', { groupId: 'g', description: 'private' })
  await send(world, 'PATCH', '/v1/group/g', 'writer', { description: 'd' })
  await send(world, 'DELETE', '/v1/group/g', 'admin')
  const stored = { groupId: 'r', version: 1, incarnation: 'i', ...TIMES }
  await send(world, 'POST', '/v1/restore', 'admin', { groups: [stored] })
  assert.deepEqual(
    world.lines.map(({ event, requestId, caller, method, route, groupId, ids, status }) => [
      event,
      requestId,
      caller,
      method,
      route,
      groupId ?? ids,
      status,
    ]),
    [
      ['change', 'POST-1', 'key:k-writer', 'POST', '/v1/group', 'g', 201],
      ['change', 'PATCH-1', 'key:k-writer', 'PATCH', '/v1/group/:groupId', 'g', 200],
      ['change', 'DELETE-1', 'key:k-admin', 'DELETE', '/v1/group/:groupId', 'g', 200],
      ['change', 'POST-1', 'key:k-admin', 'POST', '/v1/restore', ['r'], 200],
    ],
  )
  assert.ok(!JSON.stringify(world.lines).includes('private'))
})

test('a line of the audit log names everything that its request changes, whatever the form of the body', async () => {
  const world = aWorld()
  await send(world, 'POST', '/v1/group', 'writer', { groupId: 'g' })
  await send(world, 'POST', '/v1/groups:batch', 'writer', {
    create: [{ groupId: 'h', description: 'private' }],
    update: [{ groupId: 'g', description: 'private' }],
    delete: [{ groupId: 'x' }],
  })
  await send(world, 'POST', '/v1/group/g/members:batch', 'writer', {
    add: [{ memberId: 'alice', role: 'private' }],
    remove: ['bob'],
  })
  await send(world, 'POST', '/v1/cluster/members', 'admin', { address: '10.0.0.1:8001' })
  const at = TIMES.createdAt
  const stored = { version: 1, incarnation: '6f1c0d9a42e8b753-7', addedAt: at, updatedAt: at }
  const members = [{ groupId: 'g', memberId: 'carol', ...stored }]
  await send(world, 'POST', '/v1/restore/members', 'admin', { members })
  assert.deepEqual(
    world.lines.map(({ route, groupId, address, ids, status }) => [route, groupId, address, ids, status]),
    [
      ['/v1/group', 'g', undefined, undefined, 201],
      ['/v1/groups::batch', undefined, undefined, ['h', 'g', 'x'], 200],
      ['/v1/group/:groupId/members::batch', 'g', undefined, ['alice', 'bob'], 200],
      ['/v1/cluster/members', undefined, '10.0.0.1:8001', undefined, 202],
      ['/v1/restore/members', undefined, undefined, ['g', 'carol'], 200],
    ],
  )
  assert.ok(!JSON.stringify(world.lines).includes('private'))
})

test('the audit log has each refusal of a caller, and each use of a right of administrators', async () => {
  const world = aWorld()
  await send(world, 'GET', '/v1/group/g', undefined)
  await send(world, 'POST', '/v1/group', 'reader', { groupId: 'g' })
  await send(world, 'GET', '/v1/backup', 'admin')
  assert.deepEqual(
    world.lines.map(({ event, caller, route, status }) => [event, caller, route, status]),
    [
      ['refusal', 'anonymous:nobody', '/v1/group/:groupId', 401],
      ['refusal', 'key:k-reader', '/v1/group', 403],
      ['admin', 'key:k-admin', '/v1/backup', 200],
    ],
  )
})

test('reads, requests that are not valid, and changes that the group refuses are not in the audit log', async () => {
  const world = aWorld()
  await send(world, 'GET', '/v1/group', 'reader')
  await send(world, 'GET', '/v1/group/g', 'reader')
  await send(world, 'POST', '/v1/group', 'writer', { groupId: 5 })
  await send(world, 'DELETE', '/v1/group/g', 'writer')
  await world.app.inject('/livez')
  await world.app.inject('/nowhere')
  assert.deepEqual(world.lines, [])
})

test('a change whose outcome is not known is in the audit log', async () => {
  const world = aWorld()
  world.registry.change = async () => ({ kind: 'unknown', reason: 'too few nodes answered in time to tell' })
  assert.equal((await send(world, 'POST', '/v1/group', 'writer', { groupId: 'g' })).statusCode, 504)
  assert.deepEqual(
    world.lines.map(({ event, status }) => [event, status]),
    [['change', 504]],
  )
})
