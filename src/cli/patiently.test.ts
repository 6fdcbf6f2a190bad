import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Problem, Reply } from './api-client.ts'
import { patiently } from './patiently.ts'

const ANSWER: Reply<string> = { kind: 'answered', status: 200, etag: undefined, value: 'v', text: '"v"' }
const UNREACHABLE: Reply<string> = { kind: 'unreachable', reason: 'connection refused' }
const BROKEN: Reply<string> = { kind: 'broken', reason: 'the connection broke before the answer' }

function problem(status: number): Reply<string> {
  const rest: Omit<Problem, 'status'> = {
    code: 'c',
    title: 't',
    detail: undefined,
    outcome: undefined,
    errors: [],
  }
  return { kind: 'problem', problem: { status, ...rest }, text: '' }
}

/** Gives the replies one after the other, the last one again and again; each takes a second. */
async function run(
  replies: readonly Reply<string>[],
  patienceMs = 10_000,
  abortAt = Number.POSITIVE_INFINITY,
) {
  const controller = new AbortController()
  let asked = 0
  const request = async () => {
    asked += 1
    if (asked === abortAt) controller.abort()
    return replies[asked - 1] ?? replies.at(-1)!
  }
  const patience = { patienceMs, pauseMs: 0, nowMs: () => asked * 1_000, signal: controller.signal }
  return { reply: await patiently(request, patience), asked }
}

test('a request that fails as during a restart is repeated until it is answered', async () => {
  const replies = [UNREACHABLE, BROKEN, problem(502), problem(503), problem(504), ANSWER]
  assert.deepEqual(await run(replies), { reply: ANSWER, asked: 6 })
})

test('a request whose failure will not go away is not repeated', async () => {
  for (const status of [400, 404, 409, 413, 500]) {
    assert.deepEqual(await run([problem(status), ANSWER]), { reply: problem(status), asked: 1 })
  }
})

test('the repetition ends after its time, with the last reply', async () => {
  assert.deepEqual(await run([problem(503), UNREACHABLE], 5_000), { reply: UNREACHABLE, asked: 5 })
})

test('an interrupt ends it at once', async () => {
  assert.deepEqual(await run([problem(503)], 1_000_000, 3), { reply: problem(503), asked: 3 })
})
