import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reply } from './api-client.ts'
import { untilKnown } from './until-known.ts'

type Answer = Reply<string>

const DONE: Answer = { kind: 'answered', status: 201, etag: undefined, value: 'done', text: 'done' }
const BROKEN: Answer = { kind: 'broken', reason: 'the connection broke before the answer' }
const UNREACHABLE: Answer = { kind: 'unreachable', reason: 'connection refused' }

function problem(status: number, outcome?: string): Answer {
  const rest = { code: `c${status}`, title: '', detail: undefined, errors: [] }
  return { kind: 'problem', problem: { status, outcome, ...rest }, text: '' }
}

/** The reply to a change that gets these answers, one after the other, and the number of requests. */
async function run(answers: readonly Answer[]): Promise<[Answer, number]> {
  let count = 0
  let nowMs = 0
  const request = async () => answers[Math.min(count++, answers.length - 1)]!
  const pause = async () => {
    nowMs += 1_000
  }
  const reply = await untilKnown(request, { patienceMs: 5_000, nowMs: () => nowMs, pause })
  return [reply, count]
}

test('a reply that tells the outcome ends it: a success, a refusal, nothing done, or nobody there', async () => {
  for (const answer of [DONE, problem(409), problem(400), problem(503, 'not_applied'), UNREACHABLE])
    assert.deepEqual(await run([answer]), [answer, 1])
})

test('an open outcome is asked for again, through whatever comes in between', async () => {
  for (const open of [problem(504, 'unknown'), BROKEN, problem(502)]) {
    assert.deepEqual(await run([open, DONE]), [DONE, 2])
    assert.deepEqual(await run([open, UNREACHABLE, problem(503, 'not_applied'), DONE]), [DONE, 4])
    assert.deepEqual(await run([open, problem(409)]), [problem(409), 2])
  }
})

test('an outcome that stays open is not taken for nothing done, and patience ends', async () => {
  assert.deepEqual(await run([BROKEN, UNREACHABLE]), [BROKEN, 6])
  assert.deepEqual(await run([problem(504, 'unknown'), problem(503, 'not_applied')]), [
    problem(504, 'unknown'),
    6,
  ])
  assert.deepEqual(await run([BROKEN, problem(504, 'unknown')]), [problem(504, 'unknown'), 6])
})
