import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BatchBody, BatchFailed, BatchResult } from '../../api/batch-schemas.ts'
import type { GroupView, Reply } from '../api-client.ts'
import { createGroups } from './create-groups.ts'
import { emptyTally, type Tally } from './send-batches.ts'

type Answer = Reply<GroupView>

function answered(groupId: string): Answer {
  const value = { groupId, version: 1, createdAt: '', updatedAt: '' }
  return { kind: 'answered', status: 201, etag: undefined, value, text: '' }
}

function problem(status: number, code: string, outcome?: string): Answer {
  return {
    kind: 'problem',
    problem: { status, code, title: '', detail: undefined, outcome, errors: [] },
    text: '',
  }
}

const ANSWERED = { kind: 'answered', status: 200, etag: undefined, text: '' } as const

function resultOf(groupId: string, answer: Answer): BatchResult['create'][number] {
  if (answer.kind === 'answered') {
    const { version, createdAt, updatedAt } = answer.value
    return { groupId, status: 201, etag: '"1-i"', version, createdAt, updatedAt }
  }
  assert.ok(answer.kind === 'problem')
  const { status, code, title, outcome } = answer.problem
  const problem = { type: 'about:blank', status, code, title, outcome, requestId: 'r' }
  return { groupId, status, problem: problem as BatchFailed['problem'] }
}

/** Runs creates against answers by id; ids without one are created. */
async function run(
  groupIds: readonly string[],
  answers: Readonly<{ [groupId: string]: Answer }>,
  options: Readonly<{
    concurrency?: number
    batchSize?: number
    signal?: AbortSignal
    onProgress?: () => void
  }> = {},
) {
  const tally = emptyTally(groupIds.length)
  const asked: string[] = []
  const batches: string[][] = []
  const most = { now: 0, ever: 0 }
  const client = {
    create: async ({ groupId }: Readonly<{ groupId: string }>) => {
      asked.push(groupId)
      most.now += 1
      most.ever = Math.max(most.ever, most.now)
      await null
      most.now -= 1
      return answers[groupId] ?? answered(groupId)
    },
    batch: async ({ create = [] }: BatchBody): Promise<Reply<BatchResult>> => {
      const ids = create.map(({ groupId }) => groupId)
      batches.push(ids)
      const lost = ids.map((groupId) => answers[groupId]).find((answer) => answer?.kind === 'broken')
      if (lost?.kind === 'broken') return lost
      const results = ids.map((groupId) => resultOf(groupId, answers[groupId] ?? answered(groupId)))
      return { ...ANSWERED, value: { create: results, update: [], delete: [] } }
    },
  }
  const {
    concurrency = 4,
    batchSize,
    signal = new AbortController().signal,
    onProgress = () => undefined,
  } = options
  const idOf = (number: number) => groupIds[number]!
  await createGroups({ client, idOf, concurrency, batchSize, signal, onProgress }, tally)
  const idsOf = (is: 'isMade' | 'isUnknown') => groupIds.filter((_, number) => tally.ledger[is](number))
  return { tally, created: idsOf('isMade'), unknown: idsOf('isUnknown'), asked, batches, most: most.ever }
}

function unmade({ failures, ledger }: Tally): number {
  return failures.size + ledger.unknownCount
}

const IDS = Array.from({ length: 10 }, (_, index) => `g${index}`)

test('each id is created once, and never more at a time than the limit', async () => {
  const { tally, created, asked, most } = await run(IDS, {}, { concurrency: 3 })
  assert.deepEqual(asked.toSorted(), IDS)
  assert.equal(most, 3)
  assert.deepEqual(created, IDS)
  assert.equal(tally.latencies.count, 10)
  assert.equal(tally.finished, 10)
  assert.equal(unmade(tally), 0)
})

test('failures are counted by their codes, and only creates that may have happened are unknown', async () => {
  const { tally, created, unknown } = await run(IDS, {
    g0: problem(503, 'unavailable', 'not_applied'),
    g1: problem(503, 'unavailable', 'not_applied'),
    g2: problem(504, 'outcome_unknown', 'unknown'),
    g3: { kind: 'broken', reason: 'the connection broke before the answer' },
    g4: { kind: 'unreachable', reason: 'connection refused' },
    g5: problem(409, 'group_exists'),
    g6: problem(502, 'unexpected_answer'),
  })
  assert.deepEqual(Object.fromEntries(tally.failures), {
    '503 unavailable': 2,
    '504 outcome_unknown': 1,
    'the connection broke before the answer': 1,
    'connection refused': 1,
    '409 group_exists': 1,
    '502 unexpected_answer': 1,
  })
  assert.deepEqual(unknown, ['g2', 'g3', 'g6'])
  assert.deepEqual(created, ['g7', 'g8', 'g9'])
})

test('after an interrupt nothing more is sent', async () => {
  const controller = new AbortController()
  let finished = 0
  const onProgress = () => {
    finished += 1
    if (finished === 2) controller.abort()
  }
  const { tally, asked } = await run(IDS, {}, { concurrency: 1, signal: controller.signal, onProgress })
  assert.deepEqual(asked, ['g0', 'g1'])
  assert.equal(tally.ledger.madeCount, 2)
})

test('batches hold each id once, the last one the rest, and their creates are told one by one', async () => {
  const { tally, created, unknown, asked, batches } = await run(
    IDS,
    {
      g1: problem(409, 'group_exists'),
      g2: problem(504, 'outcome_unknown', 'unknown'),
      g8: { kind: 'broken', reason: 'the connection broke before the answer' },
    },
    { batchSize: 4, concurrency: 2 },
  )
  assert.deepEqual(asked, [])
  assert.deepEqual(batches, [IDS.slice(0, 4), IDS.slice(4, 8), IDS.slice(8)])
  assert.deepEqual(created, ['g0', 'g3', 'g4', 'g5', 'g6', 'g7'])
  assert.deepEqual(unknown, ['g2', 'g8', 'g9'])
  assert.deepEqual(Object.fromEntries(tally.failures), {
    '409 group_exists': 1,
    '504 outcome_unknown': 1,
    'the connection broke before the answer': 2,
  })
  assert.deepEqual([tally.finished, tally.latencies.count], [10, 2])
})

test('creates of a batch for which the connector had no time are sent again, and counted once', async () => {
  const refused = problem(503, 'overloaded', 'not_applied')
  const answers: { [groupId: string]: Answer } = { g0: refused, g1: refused, g5: refused }
  let batchCount = 0
  const onProgress = () => {
    batchCount += 1
    if (batchCount === 2) for (const groupId of Object.keys(answers)) delete answers[groupId]
  }
  const { tally, created, batches } = await run(IDS, answers, { batchSize: 4, concurrency: 1, onProgress })
  assert.deepEqual(created, IDS)
  assert.deepEqual(batches.flat().length, IDS.length + 4)
  assert.deepEqual([tally.finished, unmade(tally)], [10, 0])
})
