import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLUSTER_EXAMPLE } from '../api/status-examples.ts'
import type { ClusterStatus } from '../api/status-schemas.ts'
import type { Reply } from './api-client.ts'
import { canServe } from './backup/patience.ts'
import { findCluster } from './find-cluster.ts'

const URL = 'http://127.0.0.1:8000'

/** A connector that gives these answers, the last one again and again; each answer takes a second. */
function ask(...answers: readonly (ClusterStatus | undefined)[]) {
  let asked = 0
  const cluster = async (): Promise<Reply<ClusterStatus>> => {
    const value = answers[Math.min(asked, answers.length - 1)]
    asked += 1
    return value === undefined
      ? { kind: 'unreachable', reason: 'connection refused' }
      : { kind: 'answered', status: 200, etag: undefined, value, text: '' }
  }
  // A search that never gives up fails, and does not hang.
  const signal = AbortSignal.timeout(20_000)
  const found = findCluster({ cluster }, URL, { isEnough: canServe, nowMs: () => asked * 1_000, signal })
  return { found, asked: () => asked }
}

const SEARCHING: ClusterStatus = { ...CLUSTER_EXAMPLE, clusterId: null, epoch: null, verdict: 'unavailable' }

test('the search waits for a cluster that is found soon', async () => {
  const { found, asked } = ask(SEARCHING, { ...CLUSTER_EXAMPLE, verdict: 'unavailable' }, CLUSTER_EXAMPLE)
  assert.deepEqual([await found, asked()], [CLUSTER_EXAMPLE, 3])
})

test('a cluster that is not found, or without a quorum, is given up after five seconds, with its own reason', async () => {
  for (const status of [SEARCHING, { ...CLUSTER_EXAMPLE, verdict: 'unavailable' } as const]) {
    const { found, asked } = ask(status)
    await assert.rejects(found, (error: Error) => error.message.endsWith(`is unavailable: ${status.reason}`))
    // At 0 s, and after each of five seconds.
    assert.equal(asked(), 6)
  }
})

test('without a connector the search does not wait', async () => {
  const { found, asked } = ask(undefined)
  await assert.rejects(found, /no connector answers/)
  assert.equal(asked(), 1)
})
