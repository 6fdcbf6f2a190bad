/** The queries of docs/operations.md that bring what one node holds into a new cluster. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { memberKey } from '../src/engines/cohort/group-members/member-keys.ts'
import type { Group } from '../src/group/group.ts'
import { encodeGroup } from '../src/group/group-codec.ts'
import { encodeGroupMember } from '../src/group/group-member-codec.ts'
import { SqliteStore } from '../src/node/store/sqlite-store.ts'
import { aDatabasePath, aWrittenRecord, saveAll } from '../src/testing/store-fixture.ts'
import { testApp } from './api/test-app.ts'

const TIME = '2026-01-01T00:00:00.000Z'

/** Every field that a group can have. */
const RESTORED: Required<Group> = {
  groupId: 'größe',
  description: 'It was restored once, and a client has sent an Idempotency-Key.',
  labels: { team: 'core' },
  version: 3,
  incarnation: 'i1',
  life: 'restored-1',
  requests: ['goCsAmkhBrj92uOcjlnwXA.jmdxufpXJqc38o6sr0KXCQ'],
  createdAt: TIME,
  updatedAt: TIME,
  updatedBy: 'key:k7Gh3abc',
  requestId: 'r-1',
}
const CREATED: Group = {
  groupId: 'payments',
  version: 1,
  incarnation: 'i2',
  createdAt: TIME,
  updatedAt: TIME,
}

/** The queries, with what their rows are and the route that takes them. */
async function queries(): Promise<readonly { sql: string; field: string; path: string }[]> {
  const text = await readFile(new URL('../docs/operations.md', import.meta.url), 'utf8')
  const commands = text.matchAll(/sqlite3 -readonly old\/node\.db "([^"]+)" \|\s+restore (\S+) (\S+)/g)
  return [...commands].map(([, sql, field, path]) => ({ sql: sql!, field: field!, path: path! }))
}

test('what a node holds is restored by the commands of docs/operations.md, whatever fields it has', async (t) => {
  const path = aDatabasePath(t)
  const store = new SqliteStore(path)
  const member = (memberId: string) => {
    return encodeGroupMember({ memberId, version: 1, incarnation: 'm', addedAt: TIME, updatedAt: TIME })
  }
  const values: readonly (readonly [string, Uint8Array])[] = [
    ['group/größe', encodeGroup(RESTORED)],
    ['group/payments', encodeGroup(CREATED)],
    [memberKey({ groupId: 'größe', life: 'restored-1', memberId: 'zoë 🦊' }), member('zoë 🦊')],
    [memberKey({ groupId: 'payments', life: 'i2', memberId: 'alice' }), member('alice')],
    // Of an earlier life of the group: it is not a member any more.
    [memberKey({ groupId: 'payments', life: 'i1', memberId: 'bob' }), member('bob')],
  ]
  saveAll(
    store,
    values.map(([key, value], index) => [key, aWrittenRecord(index + 1, value)] as const),
  )
  store.close()

  const database = new DatabaseSync(path, { readOnly: true })
  const { app } = testApp()
  const found = await queries()
  assert.deepEqual(
    found.map(({ path }) => path),
    ['restore', 'restore/members'],
  )
  for (const { sql, field, path } of found) {
    const rows = database
      .prepare(sql)
      .all()
      .map((row) => JSON.parse(String(Object.values(row)[0])))
    const payload = { [field]: rows }
    const answer = await app.inject({ method: 'POST', url: `/v1/${path}`, payload })
    assert.deepEqual(answer.json(), { restored: 2, unchanged: 0, conflicts: [] }, answer.body)
  }
  database.close()
  const { members } = (await app.inject(`/v1/group/${encodeURIComponent('größe')}/members`)).json()
  assert.deepEqual(
    members.map(({ memberId }: { memberId: string }) => memberId),
    ['zoë 🦊'],
  )
  const backup = (await app.inject('/v1/backup')).json()
  const { life: _, requests: _requests, ...stored } = RESTORED
  assert.deepEqual(
    backup.groups.find(({ groupId }: Group) => groupId === 'größe'),
    stored,
  )
})
