/** Names that somebody chooses in order to deceive: in logs, in prefixes, in requests that are repeated. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pino } from 'pino'
import type { Authenticator } from '../../src/access/authenticator.ts'
import { type Caller, newCaller } from '../../src/access/caller.ts'
import type { Role } from '../../src/access/role.ts'
import { AuditLog } from '../../src/process/audit-log.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { expectProblem, fieldsOf } from './expect.ts'
import { testApp } from './test-app.ts'

/** Texts that would end a line, end a string, or begin another field in a log that does not escape them. */
const HOSTILE = [
  '","caller":"key:root","x":"',
  '\\","status":200}',
  '{"event":"change"}',
  'a\u2028b\u2029c',
  '\u202etxt.exe',
  '\ufeffx',
  '__proto__',
  'constructor',
  '%0a%0d',
]

function knownAs(caller: Caller): Authenticator {
  return { kinds: ['a name'], authenticate: () => ({ kind: 'known', caller }) }
}

function aCaller(role: Role, prefix = '', name = 'n'): Caller {
  return newCaller({ kind: 'jwt', id: name, name, role, prefix })
}

test('the audit log has one line for each event, with its true caller, whatever the names are', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-hostile-'))
  const path = join(directory, 'audit.log')
  const logger = pino({ level: 'silent' })
  const audit = new AuditLog({ path, logger, clock: new ManualClock(), now: () => new Date(0) })
  try {
    let expected = 0
    for (const name of HOSTILE) {
      const { app } = testApp({ audit, authenticator: knownAs(aCaller('writer', '', name)) })
      const id = encodeURIComponent(name)
      const headers = { 'x-request-id': name.replaceAll(/[^!-~]/g, '') }
      const created = await app.inject({
        method: 'POST',
        url: '/v1/group',
        headers,
        payload: { groupId: name },
      })
      assert.equal(created.statusCode, 201, created.body)
      const added = await app.inject({ method: 'PUT', url: `/v1/group/${id}/members/${id}`, headers })
      assert.equal(added.statusCode, 201, added.body)
      // Refused before the body is read, so the log has nothing of it.
      const payload = { address: name }
      const refused = await app.inject({ method: 'POST', url: '/v1/cluster/members', headers, payload })
      assert.equal(refused.statusCode, 403)
      // A header field cannot hold a line end. Characters that are not visible give the request another id.
      const odd = { 'x-request-id': 'a\tb' }
      assert.equal(
        (await app.inject({ method: 'DELETE', url: `/v1/group/${id}`, headers: odd })).statusCode,
        200,
      )
      expected += 4
    }
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    assert.equal(lines.length, expected)
    for (const [index, line] of lines.entries()) {
      const name = HOSTILE[Math.floor(index / 4)]!
      const { caller, callerName, groupId, status, event, requestId } = JSON.parse(line)
      assert.deepEqual([caller, callerName], [`jwt:${name}`, name])
      assert.deepEqual(
        [event, status],
        [
          ['change', 201],
          ['change', 201],
          ['refusal', 403],
          ['change', 200],
        ][index % 4],
      )
      if (index % 4 !== 2) assert.equal(groupId, name)
      assert.match(requestId, /^[!-~]+$/)
      assert.equal(Object.getPrototypeOf(JSON.parse(line)), Object.prototype)
      // No text of the names is outside a string: each field is there once.
      for (const field of ['caller', 'status', 'event'])
        assert.equal(line.split(`"${field}":`).length, 2, line)
    }
  } finally {
    audit.close()
    rmSync(directory, { recursive: true })
  }
})

test('a request that repeats one of another caller is judged by the rights of its own caller', async () => {
  const world = testApp({ authenticator: knownAs(aCaller('writer')) })
  const headers = { 'idempotency-key': 'k' }
  const requests = [
    { method: 'POST', url: '/v1/group', headers, payload: { groupId: 'team-b/x' } },
    {
      method: 'PATCH',
      url: '/v1/group/team-b%2Fx',
      headers: { 'idempotency-key': 'p' },
      payload: { description: 'd' },
    },
    {
      method: 'POST',
      url: '/v1/groups:batch',
      headers: { 'idempotency-key': 'b' },
      payload: { create: [{ groupId: 'team-b/y' }] },
    },
  ] as const
  for (const request of requests) {
    const [first, second] = [await world.app.inject(request), await world.app.inject(request)]
    assert.ok(first.statusCode < 300, first.body)
    assert.equal(second.statusCode, first.statusCode)
  }
  for (const caller of [
    aCaller('writer', 'team-a/'),
    aCaller('reader'),
    aCaller('monitor'),
    aCaller('none'),
  ]) {
    const { app } = testApp({ authenticator: knownAs(caller), engine: { registry: world.registry } })
    for (const request of requests) {
      const answer = await app.inject(request)
      expectProblem(answer, 'forbidden')
      assert.equal(answer.headers['idempotency-replayed'], undefined)
    }
  }
})

test('the prefix of a key is well-formed text: half a character would be the beginning of many others', async () => {
  const { app } = testApp()
  const create = (prefix: string) =>
    app.inject({
      method: 'POST',
      url: '/v1/key',
      headers: { 'content-type': 'application/json' },
      payload: `{"name":"n","role":"reader","prefix":"${prefix}"}`,
    })
  for (const prefix of ['', '\\ud83e', 'team-\\ud83e', '\\udd8a', '\\u0000', 'a\\nb', 'a\\u007f']) {
    assert.deepEqual(fieldsOf(expectProblem(await create(prefix), 'invalid_request')), ['prefix'], prefix)
  }
  for (const prefix of ['\\ud83e\\udd8a', 'team-\\u00e9', 'team-e\\u0301', ' ', '..', '../']) {
    assert.equal((await create(prefix)).statusCode, 201, prefix)
  }
})

test('ids that look alike are different groups: a prefix is compared as it is written', async () => {
  const { app } = testApp({ authenticator: knownAs(aCaller('writer', 'team-\u00e9/')) })
  const look = [
    'team-e\u0301/x',
    'team-\u00e9\u2215x',
    'team-\u00e9\uff0fx',
    'Team-\u00e9/x',
    'te\u0430m-\u00e9/x',
    'team\u2010\u00e9/x',
    'team-\u00e9\u200b/x',
    '\ufeffteam-\u00e9/x',
    'team-\u00e9\\x',
  ]
  for (const groupId of look) {
    expectProblem(await app.inject({ method: 'POST', url: '/v1/group', payload: { groupId } }), 'forbidden')
    expectProblem(await app.inject(`/v1/group/${encodeURIComponent(groupId)}`), 'forbidden')
    expectProblem(await app.inject(`/v1/group?prefix=${encodeURIComponent(groupId)}`), 'forbidden')
    expectProblem(await app.inject(`/v1/watch?prefix=${encodeURIComponent(groupId)}`), 'forbidden')
  }
  // Two fields of the same name: the last one is what is judged and what is created.
  const twice = (first: string, last: string) =>
    app.inject({
      method: 'POST',
      url: '/v1/group',
      headers: { 'content-type': 'application/json' },
      payload: `{"groupId":"${first}","groupId":"${last}"}`,
    })
  expectProblem(await twice('team-\u00e9/x', 'team-b/x'), 'forbidden')
  const { groupId } = (await twice('team-b/x', 'team-\u00e9/x')).json()
  assert.equal(groupId, 'team-\u00e9/x')
})
