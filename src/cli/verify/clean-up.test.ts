import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupView, Reply } from '../api-client.ts'
import { cleanUp } from './clean-up.ts'

const GROUP = { groupId: 'k', version: 1, createdAt: '', updatedAt: '' }
const DELETED: Reply<GroupView> = { kind: 'answered', status: 200, etag: undefined, value: GROUP, text: '' }
const BROKEN: Reply<GroupView> = { kind: 'broken', reason: 'the connection broke before the answer' }

function problem(status: number, code: string): Reply<GroupView> {
  const fields = { status, code, title: '', detail: undefined, outcome: undefined, errors: [] }
  return { kind: 'problem', problem: fields, text: '' }
}

/** Deletes these keys; each is answered as `answer` says. Each answer takes a second. */
async function run(keys: readonly string[], answer: (key: string) => Reply<GroupView>, patienceMs = 60_000) {
  const asked: string[] = []
  const client = {
    delete: async (key: string) => {
      asked.push(key)
      return answer(key)
    },
  }
  const leftovers = new Set(keys)
  const links = [{ client }]
  await cleanUp({
    links,
    leftovers,
    concurrency: 2,
    patienceMs,
    pauseMs: 0,
    nowMs: () => asked.length * 1_000,
  })
  return { asked, leftovers: [...leftovers] }
}

test('a group that is deleted, or does not exist, is asked for once', async () => {
  const { asked, leftovers } = await run(['a', 'b', 'c'], (key) =>
    key === 'b' ? problem(404, 'group_not_found') : DELETED,
  )
  assert.deepEqual([asked.toSorted(), leftovers], [['a', 'b', 'c'], []])
})

test('a delete without an answer is repeated', async () => {
  const replies = [BROKEN, problem(503, 'unavailable'), problem(404, 'unexpected_answer'), DELETED]
  const { asked, leftovers } = await run(['a'], () => replies.shift()!)
  assert.deepEqual([asked, leftovers], [['a', 'a', 'a', 'a'], []])
})

test('the repetition ends after its time, and the remaining groups are reported', async () => {
  const { asked, leftovers } = await run(['a', 'b'], (key) => (key === 'a' ? DELETED : BROKEN), 5_000)
  assert.deepEqual([leftovers, asked.length], [['b'], 5])
})

test('a caller that every connector refuses is not repeated for a minute', async () => {
  for (const refusal of [problem(401, 'unauthenticated'), problem(403, 'forbidden')]) {
    const { asked, leftovers } = await run(['a', 'b'], () => refusal)
    assert.deepEqual(
      [asked.toSorted(), leftovers],
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
    )
  }
})
