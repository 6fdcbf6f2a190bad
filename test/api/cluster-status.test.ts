/** What `GET /v1/cluster` and `/readyz` tell, and to whom. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newCaller } from '../../src/access/caller.ts'
import type { Role } from '../../src/access/role.ts'
import { CLUSTER_EXAMPLE } from '../../src/api/status-examples.ts'
import type { ClusterStatus } from '../../src/api/status-schemas.ts'
import { expectProblem } from './expect.ts'
import { testApp } from './test-app.ts'

const KEYS = ['group/team-a/one', 'group/team-b/one', 'group/team-a', 'cluster/user-key/k7Gh3abc', 'member/x']

const DIVERGED: ClusterStatus = {
  ...CLUSTER_EXAMPLE,
  divergences: {
    count: KEYS.length,
    first: KEYS.map((key) => ({
      key,
      ballot: { round: 1, proposerId: 0, text: '1.fast' },
      nodeIds: ['n1', 'n2'],
    })),
  },
}

async function keysSeenBy(role: Role, prefix: string): Promise<string[]> {
  const caller = newCaller({ kind: 'key', id: 'k7Gh3abc', name: 'ci', role, prefix })
  const { app } = testApp({
    authenticator: { kinds: ['an API key'], authenticate: () => ({ kind: 'known', caller }) },
    engine: { status: { describe: () => DIVERGED } },
  })
  const { divergences } = (await app.inject('/v1/cluster')).json<ClusterStatus>()
  assert.equal(divergences.count, KEYS.length, 'everyone sees that something is wrong')
  return divergences.first.map(({ key }) => key)
}

test('of the keys that differ, the status shows each caller those that it may read', async () => {
  for (const role of ['reader', 'writer', 'admin'] as const) {
    assert.deepEqual(await keysSeenBy(role, ''), KEYS)
    assert.deepEqual(await keysSeenBy(role, 'team-a/'), ['group/team-a/one'])
  }
  for (const prefix of ['', 'team-a/']) assert.deepEqual(await keysSeenBy('monitor', prefix), [])
})

test('a connector that is not ready tells strangers nothing of its nodes or its database', async () => {
  const none = { primary: null, version: null, timeline: null, synchronousNames: null, waitsFor: null }
  const database = { ...none, required: 1, standbys: [] }
  const reason = 'The server 10.0.0.1:5432 does not serve (no pg_hba.conf entry for user "cohort").'
  const cases: readonly (readonly [ClusterStatus, string])[] = [
    [{ ...CLUSTER_EXAMPLE, reason }, 'No quorum of nodes answers.'],
    [{ ...CLUSTER_EXAMPLE, reason, database }, 'The database does not serve.'],
  ]
  for (const [described, detail] of cases) {
    const { app } = testApp({
      engine: { readiness: { isReady: () => false }, status: { describe: () => described } },
    })
    assert.equal(expectProblem(await app.inject('/readyz'), 'not_ready').detail, detail)
  }
})
