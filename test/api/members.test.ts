/** Changes of the membership over HTTP, and the commands that ask for them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLUSTER_EXAMPLE } from '../../src/api/status-examples.ts'
import { changeMembers, type MemberChange } from '../../src/cli/members/change-members.ts'
import type { ChangeResult } from '../../src/engines/engine.ts'
import { expectProblem, fieldsOf } from './expect.ts'
import { ScriptedMembers } from './scripted-members.ts'
import { testApp } from './test-app.ts'

const PATH = '/v1/cluster/members'

test('each change is asked for as it was sent, and answered with 202 and what is chosen', async () => {
  const members = new ScriptedMembers()
  const { app } = testApp({ engine: { members } })
  for (const request of [
    { method: 'POST', url: PATH, payload: { address: 'http://Host:8001/' } },
    { method: 'PUT', url: `${PATH}/n2`, payload: { address: '[::1]:9' } },
    { method: 'DELETE', url: `${PATH}/n2` },
  ] as const) {
    const answer = await app.inject(request)
    assert.equal(answer.statusCode, 202, answer.body)
    assert.equal(answer.json().epoch, 2)
    assert.equal(answer.json().outgoing.length, 3)
  }
  assert.deepEqual(members.asked, ['add host:8001', 'replace n2 by [::1]:9', 'remove n2'])
})

test('an invalid address, an unknown field, an invalid node id: 400, and the cluster is not asked', async () => {
  const members = new ScriptedMembers()
  const { app } = testApp({ engine: { members } })
  for (const [payload, field] of [
    [{ address: 'host' }, 'address'],
    [{ address: 'host:99999' }, 'address'],
    [{ address: 8001 }, 'address'],
    [{ address: '0.0.0.0:8001' }, 'address'],
    [{ address: 'http://[::]:8001' }, 'address'],
    [{ address: '224.0.0.1:8001' }, 'address'],
    [{ address: '[fe80::1]:8001' }, 'address'],
    [{}, 'address'],
    [{ address: 'host:8001', force: true }, 'force'],
  ] as const) {
    for (const [method, url] of [
      ['POST', PATH],
      ['PUT', `${PATH}/n2`],
    ] as const) {
      const answer = await app.inject({ method, url, payload })
      assert.deepEqual(fieldsOf(expectProblem(answer, 'invalid_request')), [field])
    }
  }
  const everywhere = await app.inject({ method: 'POST', url: PATH, payload: { address: '0.0.0.0:8001' } })
  assert.match(
    everywhere.body,
    /at which others reach the node, and not 0\.0\.0\.0:8001, which stands for all/,
  )
  const answer = await app.inject({ method: 'DELETE', url: `${PATH}/${'n'.repeat(129)}` })
  assert.deepEqual(fieldsOf(expectProblem(answer, 'invalid_request')), ['nodeId'])
  expectProblem(
    await app.inject({
      method: 'POST',
      url: PATH,
      payload: '{',
      headers: { 'content-type': 'application/json' },
    }),
    'invalid_json',
  )
  assert.deepEqual(members.asked, [])
})

test('a refusal is a problem of its code that says why; a failure says what became of it', async () => {
  const members = new ScriptedMembers()
  const { app } = testApp({ engine: { members } })
  const remove = () => app.inject({ method: 'DELETE', url: `${PATH}/n1` })
  for (const code of [
    'member_not_found',
    'change_in_progress',
    'already_a_member',
    'node_not_empty',
    'node_unreachable',
    'too_few_members',
    'too_many_members',
    'members_unreachable',
  ] as const) {
    members.result = { kind: 'refused', code, reason: 'Why.' }
    assert.equal(expectProblem(await remove(), code).detail, 'Why.')
  }
  members.result = { kind: 'not_applied', reason: 'too few nodes answered in time' }
  assert.equal((await remove()).headers['retry-after'], '1')
  members.result = { kind: 'unknown', reason: 'too few nodes answered in time to tell' }
  assert.equal(expectProblem(await remove(), 'outcome_unknown').outcome, 'unknown')
})

// The commands ----------------------------------------------------------------------------------------------

/** Runs a command against an API whose cluster is in these epochs, one after the other. */
async function run(change: MemberChange, epochs: readonly number[], result?: ChangeResult, isAwaited = true) {
  const members = new ScriptedMembers()
  if (result !== undefined) members.result = result
  const left = [...epochs]
  const describe = () => {
    const epoch = left.length > 1 ? left.shift()! : left[0]!
    const shown = ['n1', 'n2', 'n3'].map((nodeId, index) => ({ ...CLUSTER_EXAMPLE.members[index]!, nodeId }))
    return {
      ...CLUSTER_EXAMPLE,
      epoch,
      members: shown,
      change: epoch === 2 ? '10 of about 20 keys are done' : null,
    }
  }
  const { app } = testApp({ engine: { members, status: { describe } } })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  let printed = ''
  let nowMs = 0
  const output = {
    write: (text: string) => {
      printed += text
    },
    draw: () => assert.fail('nothing is drawn without a terminal'),
    columns: undefined,
    nowMs: () => {
      nowMs += 3_000
      return nowMs
    },
  }
  const { signal } = new AbortController()
  try {
    const exitCode = await changeMembers(change, { url, isAwaited, output, signal, pauseMs: 1 }).catch(
      (error: { exitCode: number; message: string }) => {
        printed += error.message
        return error.exitCode
      },
    )
    return { exitCode, printed, asked: members.asked }
  } finally {
    await app.close()
  }
}

test('a command asks, shows the progress, and ends with the members when it is done', async () => {
  const { exitCode, printed, asked } = await run(
    { kind: 'replace', nodeId: 'n9', address: 'h:1' },
    [1, 2, 2, 3],
  )
  assert.equal(exitCode, 0)
  assert.deepEqual(asked, ['replace n9 by h:1'])
  assert.match(printed, /^begun with epoch 2\n/)
  assert.match(printed, /10 of about 20 keys are done\n/)
  assert.match(printed, /done with epoch 3; the 3 members are:\n {2}n1 /)
})

test('a command that does not wait ends when the change has begun', async () => {
  const { exitCode, printed } = await run({ kind: 'add', address: 'h:1' }, [2], undefined, false)
  assert.equal(exitCode, 0)
  assert.match(printed, /begun with epoch 2\n.*cohort status/)
})

test('a refusal ends with 1 and the reason, an unknown outcome with 3', async () => {
  const refused = await run({ kind: 'remove', nodeId: 'n1' }, [1], {
    kind: 'refused',
    code: 'too_few_members',
    reason: 'A cluster keeps at least 3 members.',
  })
  assert.equal(refused.exitCode, 1)
  assert.match(refused.printed, /at least 3 members \(409 too_few_members\)/)
  const unknown = await run({ kind: 'remove', nodeId: 'n1' }, [1], { kind: 'unknown', reason: 'too few' })
  assert.equal(unknown.exitCode, 3)
})

test('a change that another change has ended is not a success', async () => {
  const members = ['n1', 'n2', 'other'].map((nodeId) => ({ nodeId, address: 'h:1' }))
  const { exitCode, printed } = await run({ kind: 'add', address: 'h:1' }, [3], {
    kind: 'accepted',
    change: { clusterId: 'c', epoch: 2, members, outgoing: members },
  })
  assert.equal(exitCode, 1)
  assert.match(printed, /ended by another one/)
})
