import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupView, Reply } from '../api-client.ts'
import { contentOf } from './content.ts'
import { judgeAnswer } from './judge-answer.ts'
import type { Command } from './operation.ts'

const KINDS: readonly Command[] = [
  { kind: 'read' },
  { kind: 'create' },
  { kind: 'update', ifMatch: undefined },
  { kind: 'delete', ifMatch: undefined },
]

function problem(status: number, code: string, outcome?: string): Reply<GroupView> {
  const fields = { status, code, title: '', detail: undefined, outcome, errors: [] }
  return { kind: 'problem', problem: fields, text: '' }
}

/** The outcome for a read, a create, an update and a delete. */
function outcomes(reply: Reply<GroupView>): string {
  return KINDS.map((command) => judgeAnswer(command, reply).outcome).join(' ')
}

test('an answer with a group means that the operation was done', () => {
  const value = { groupId: 'k', ...contentOf(7), version: 1, createdAt: '', updatedAt: '' }
  const reply = { kind: 'answered', status: 200, etag: '"1"', value, text: '' } as const
  assert.equal(outcomes(reply), 'done done done done')
  assert.deepEqual(
    KINDS.map((command) => judgeAnswer(command, reply).seen),
    ['read', 'created', 'updated', 'deleted'].map((done) => `${done} version 1 of #7, written by #7`),
  )
})

test('only an error that says so means that nothing was done', () => {
  const expected = 'unanswered not_applied not_applied not_applied'
  assert.equal(outcomes(problem(503, 'unavailable', 'not_applied')), expected)
  assert.equal(outcomes({ kind: 'unreachable', reason: 'connection refused' }), expected)
})

test('after an unknown outcome, a broken connection, or an error of another server, the operation may have happened', () => {
  const expected = 'unanswered unknown unknown unknown'
  assert.equal(outcomes(problem(504, 'outcome_unknown', 'unknown')), expected)
  assert.equal(outcomes(problem(500, 'internal_error', 'unknown')), expected)
  assert.equal(outcomes(problem(503, 'unexpected_answer')), expected)
  assert.equal(outcomes(problem(404, 'unexpected_answer')), expected)
  const broken = { kind: 'broken', reason: 'the connection broke before the answer' } as const
  assert.equal(judgeAnswer({ kind: 'create' }, broken).outcome, 'unknown')
})

test('a refusal is an answer; for a read, a missing group is the result', () => {
  assert.equal(outcomes(problem(404, 'group_not_found')), 'done refused refused refused')
  assert.equal(judgeAnswer({ kind: 'read' }, problem(404, 'group_not_found')).seen, 'read nothing')
  assert.equal(judgeAnswer({ kind: 'create' }, problem(409, 'group_exists')).seen, 'refused group_exists')
})
