import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterStatus, MemberStatus } from '../../../api/status-schemas.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { LOOK_MS, SLOW_MS, SPACING_MS, START_MS, StateLog } from './state-log.ts'

const UP = { reachable: true, suspect: false, version: '1', problem: null }
const SLOW = { ...UP, suspect: true }
const AWAY = { reachable: false, suspect: true, version: null, problem: 'It does not answer.' }
const WAITING = { ...AWAY, version: '1', problem: 'It answers, but takes no part yet.' }

/** A cluster of three whose state a test sets, and the lines that were logged. */
function aWatchedCluster() {
  const clock = new ManualClock()
  const lines: string[] = []
  const fields: { [name: string]: unknown }[] = []
  const state = {
    clusterId: 'c' as string | null,
    verdict: 'healthy' as ClusterStatus['verdict'],
    nodes: new Map<string, typeof UP | typeof AWAY | typeof WAITING>([
      ['n1', UP],
      ['n2', UP],
      ['n3', UP],
    ]),
  }
  const logger = {
    warn: (values: { [name: string]: unknown }, message: string) => {
      const { node, changes } = values
      const more = changes === undefined ? '' : ` (${changes} changes)`
      lines.push(`${clock.nowMs() / 1_000} ${node === undefined ? '' : `${node}: `}${message}${more}`)
      fields.push(values)
    },
  }
  const log = new StateLog({
    clock,
    logger: logger as never,
    describe: () => ({
      clusterId: state.clusterId,
      verdict: state.verdict,
      reason: 'Why.',
      members: [...state.nodes].map(
        ([nodeId, node]) => ({ nodeId, address: `${nodeId}:8001`, ...node }) as MemberStatus,
      ),
    }),
  })
  log.start()
  return { clock, log, lines, fields, state }
}

/** The time after which lines are written at once. */
const STARTED_MS = START_MS + LOOK_MS

test('a start that succeeds writes no line, and neither does a cluster that stays healthy', () => {
  const { clock, lines, state } = aWatchedCluster()
  state.clusterId = null
  state.verdict = 'unavailable'
  clock.advance(START_MS - LOOK_MS)
  state.clusterId = 'c'
  state.verdict = 'healthy'
  clock.advance(600_000)
  assert.deepEqual(lines, [])
})

test('a cluster that is not found soon after the start is one line, and not a line for each host', () => {
  const { clock, lines, state } = aWatchedCluster()
  state.clusterId = null
  state.verdict = 'unavailable'
  for (const nodeId of state.nodes.keys()) state.nodes.set(nodeId, AWAY)
  clock.advance(600_000)
  assert.deepEqual(lines, ['5 the cluster is unavailable'])
})

test('a node that hangs for 40 s is a line when it begins and one when it ends, and so is the verdict', () => {
  const { clock, lines, fields, state } = aWatchedCluster()
  clock.advance(STARTED_MS)
  state.nodes.set('n2', AWAY)
  state.verdict = 'degraded'
  clock.advance(40_000)
  state.nodes.set('n2', UP)
  state.verdict = 'healthy'
  clock.advance(40_000)
  assert.deepEqual(lines, [
    '7 the cluster is degraded',
    '7 n2: a node does not answer',
    '47 the cluster is healthy',
    '47 n2: a node is up again',
  ])
  assert.deepEqual(fields.slice(0, 2), [
    { verdict: 'degraded', before: 'healthy', reason: 'Why.' },
    { node: 'n2', address: 'n2:8001', state: 'unreachable', before: 'up', problem: 'It does not answer.' },
  ])
})

test('a lost quorum is logged when it is lost and when it is back', () => {
  const { clock, lines, state } = aWatchedCluster()
  clock.advance(STARTED_MS)
  for (const verdict of ['degraded', 'unavailable', 'degraded', 'healthy'] as const) {
    state.verdict = verdict
    clock.advance(SPACING_MS)
  }
  assert.deepEqual(lines, [
    '7 the cluster is degraded',
    '17 the cluster is unavailable',
    '27 the cluster is degraded',
    '37 the cluster is healthy',
  ])
})

test('a node that comes and goes causes one line in ten seconds, and its last state is always logged', () => {
  const { clock, lines, state } = aWatchedCluster()
  clock.advance(STARTED_MS)
  for (let second = 0; second < 60; second += 1) {
    state.nodes.set('n1', second % 2 === 0 ? AWAY : UP)
    clock.advance(LOOK_MS)
  }
  clock.advance(60_000)
  assert.deepEqual(lines, [
    '7 n1: a node does not answer',
    '17 n1: a node does not answer (10 changes)',
    '27 n1: a node does not answer (10 changes)',
    '37 n1: a node does not answer (10 changes)',
    '47 n1: a node does not answer (10 changes)',
    '57 n1: a node does not answer (10 changes)',
    '67 n1: a node is up again (9 changes)',
  ])
})

test('a node that comes and goes delays no line about another node', () => {
  const { clock, lines, state } = aWatchedCluster()
  clock.advance(STARTED_MS)
  state.nodes.set('n1', AWAY)
  clock.advance(LOOK_MS)
  state.nodes.set('n1', UP)
  state.nodes.set('n3', WAITING)
  clock.advance(LOOK_MS)
  assert.deepEqual(lines, ['7 n1: a node does not answer', '8 n3: a node answers, but takes no part'])
})

test('a node that is slow for a moment is not logged, one that stays slow is', () => {
  const { clock, lines, state } = aWatchedCluster()
  clock.advance(STARTED_MS)
  for (let time = 0; time < 10; time += 1) {
    state.nodes.set('n1', SLOW)
    clock.advance(SLOW_MS - LOOK_MS)
    state.nodes.set('n1', UP)
    clock.advance(LOOK_MS)
  }
  assert.deepEqual(lines, [])
  state.nodes.set('n1', SLOW)
  clock.advance(60_000)
  state.nodes.set('n1', UP)
  clock.advance(60_000)
  assert.deepEqual(lines, ['62 n1: a node is slow, and is not waited for', '117 n1: a node is up again'])
})

test('a node that leaves the cluster is forgotten', () => {
  const { clock, lines, state } = aWatchedCluster()
  clock.advance(STARTED_MS)
  state.nodes.set('n1', AWAY)
  clock.advance(LOOK_MS)
  state.nodes.delete('n1')
  clock.advance(LOOK_MS)
  state.nodes.set('n1', UP)
  clock.advance(60_000)
  assert.deepEqual(lines, ['7 n1: a node does not answer'])
})

test('a closed log looks no more at the cluster', () => {
  const { clock, log } = aWatchedCluster()
  assert.equal(clock.taskCount, 1)
  log.close()
  assert.equal(clock.taskCount, 0)
})
