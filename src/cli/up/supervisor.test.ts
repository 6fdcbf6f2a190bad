import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { EXIT } from '../exit-codes.ts'
import type { ServicePlan } from './cluster-plan.ts'
import type { End } from './service-process.ts'
import { Supervisor } from './supervisor.ts'

const DRAIN_TIMEOUT_MS = 5_000

/** A service that ends when the test wants it to. */
class FakeService {
  readonly name: string
  /** The calls that it has received, in order. */
  readonly asked: string[] = []
  readonly #onEnd: (end: End) => void
  readonly #gone = Promise.withResolvers<boolean>()

  constructor(name: string, onEnd: (end: End) => void) {
    this.name = name
    this.#onEnd = onEnd
  }

  stop(graceMs: number): Promise<boolean> {
    this.asked.push(`stop within ${graceMs} ms`)
    return this.#gone.promise
  }

  kill(): void {
    this.asked.push('kill')
  }

  /** `isClean`: what the caller of `stop` is told. */
  end(end: Partial<End>, isClean = true): void {
    this.#gone.resolve(isClean)
    this.#onEnd({ code: end.signal === undefined ? 0 : null, signal: null, livedMs: 60_000, ...end })
  }
}

/** A supervisor of a cluster, and all services that it has launched. */
function supervise({ nodes = 3, connectors = 1 } = {}) {
  const plan = [
    ...Array.from({ length: nodes }, (_, index) => aPlan(`node${index + 1}`, 'node')),
    ...Array.from({ length: connectors }, (_, index) => aPlan(`connector${index + 1}`, 'connector')),
  ]
  const clock = new ManualClock()
  const launched: FakeService[] = []
  const printed: string[] = []
  const hopeless: string[] = []
  const supervisor = new Supervisor({
    plan,
    clock,
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
    print: (name, line) => printed.push(`${name}: ${line}`),
    onHopeless: (reason) => hopeless.push(reason),
    launch: ({ name }, { onEnd }) => {
      const service = new FakeService(name, onEnd)
      launched.push(service)
      return service
    },
  })
  supervisor.start()
  /** The last life of a service. */
  const service = (name: string) =>
    launched.findLast((one) => one.name === name) ?? assert.fail(`${name} was never launched`)
  const lives = (name: string) => launched.filter((one) => one.name === name).length
  return { supervisor, clock, launched, printed, hopeless, service, lives }
}

function aPlan(name: string, kind: ServicePlan['kind']): ServicePlan {
  return { name, kind, scheme: 'http', host: '127.0.0.1', port: 1, args: [] }
}

/** Lets all code run that awaits a settled promise. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('every service of the plan is started once, in its order', () => {
  const { launched } = supervise({ nodes: 3, connectors: 2 })
  assert.deepEqual(
    launched.map(({ name }) => name),
    ['node1', 'node2', 'node3', 'connector1', 'connector2'],
  )
})

test('a service that ends is started again after its delay, and not before', () => {
  const { supervisor, clock, printed, service, lives } = supervise()
  supervisor.markReady()
  service('node2').end({ signal: 'SIGKILL' })
  assert.deepEqual(printed, ['node2: was ended by SIGKILL; it is started again in 0.2 s'])
  clock.advance(199)
  assert.equal(lives('node2'), 1)
  clock.advance(1)
  assert.equal(lives('node2'), 2)
  assert.equal(clock.taskCount, 0)
  service('connector1').end({ code: 1 })
  assert.equal(printed[1], 'connector1: ended with exit code 1; it is started again in 0.2 s')
  clock.advance(200)
  assert.equal(lives('connector1'), 2)
  assert.deepEqual([lives('node1'), lives('node3')], [1, 1])
})

test('a service that keeps ending right after its start waits longer each time, and the log points out the loop', () => {
  const { supervisor, clock, printed, service, lives } = supervise()
  supervisor.markReady()
  for (const delayMs of [200, 400, 800, 1_600]) {
    service('node1').end({ code: 1, livedMs: 50 })
    const before = lives('node1')
    clock.advance(delayMs - 1)
    assert.equal(lives('node1'), before)
    clock.advance(1)
    assert.equal(lives('node1'), before + 1)
  }
  const loop = printed.filter((line) => line.includes('times in a row'))
  assert.equal(loop.length, 2)
  assert.match(loop[0]!, /^node1: it has ended 3 times in a row right after its start/)
})

test('a node that was removed from its cluster is not started again', () => {
  const { supervisor, clock, printed, service, lives } = supervise()
  supervisor.markReady()
  service('node3').end({ code: EXIT.removed })
  assert.equal(clock.taskCount, 0)
  clock.advance(60_000)
  assert.equal(lives('node3'), 1)
  assert.deepEqual(printed, ['node3: is no longer a member of the cluster, and is not started again'])
})

test('at the start, a connector that fails makes the start fail, once, and nothing more is started', () => {
  const { clock, hopeless, service, launched } = supervise()
  service('connector1').end({ code: 1, livedMs: 10 })
  assert.deepEqual(hopeless, ['connector1 could not start (ended with exit code 1): its lines above say why'])
  for (const name of ['node1', 'node2', 'node3']) service(name).end({ code: 1, livedMs: 10 })
  assert.equal(hopeless.length, 1)
  assert.equal(clock.taskCount, 0)
  assert.equal(launched.length, 4)
})

test('at the start, nodes may fail as long as a quorum is left', () => {
  const { clock, hopeless, service, lives } = supervise({ nodes: 5 })
  for (const name of ['node1', 'node2']) service(name).end({ code: 1, livedMs: 10 })
  assert.deepEqual(hopeless, [])
  clock.advance(200)
  assert.deepEqual([lives('node1'), lives('node2')], [2, 2])
  // The same node again is not a third node.
  service('node1').end({ code: 1, livedMs: 10 })
  assert.deepEqual(hopeless, [])
  service('node3').end({ code: 1, livedMs: 10 })
  assert.equal(hopeless.length, 1)
})

test('a service that a signal ends at the start has not failed, and the start cannot fail once the cluster was ready', () => {
  const { supervisor, clock, hopeless, service, lives } = supervise()
  service('connector1').end({ signal: 'SIGKILL', livedMs: 10 })
  assert.deepEqual(hopeless, [])
  supervisor.markReady()
  for (const name of ['node1', 'node2', 'node3']) service(name).end({ code: 1, livedMs: 10 })
  assert.deepEqual(hopeless, [])
  clock.advance(200)
  assert.deepEqual(['connector1', 'node1', 'node2', 'node3'].map(lives), [2, 2, 2, 2])
})

test('a stop ends the connectors first, and the nodes only after the last connector', async () => {
  const { supervisor, clock, service, launched } = supervise({ nodes: 3, connectors: 2 })
  supervisor.markReady()
  const stopped = supervisor.stop()
  const asked = () => launched.filter((one) => one.asked.length > 0).map(({ name }) => name)
  assert.deepEqual(asked(), ['connector1', 'connector2'])
  assert.deepEqual(service('connector1').asked, [`stop within ${DRAIN_TIMEOUT_MS + 5_000} ms`])
  service('connector1').end({})
  await settle()
  assert.deepEqual(asked(), ['connector1', 'connector2'])
  service('connector2').end({})
  await settle()
  assert.deepEqual(asked(), ['node1', 'node2', 'node3', 'connector1', 'connector2'])
  for (const name of ['node1', 'node2', 'node3']) service(name).end({})
  assert.equal(await stopped, true)
  assert.equal(clock.taskCount, 0)
  assert.equal(launched.length, 5, 'nothing that ends during a stop is started again')
})

test('a service that waits to be started again is not started after a stop', async () => {
  const { supervisor, clock, service, launched } = supervise({ nodes: 1 })
  supervisor.markReady()
  service('connector1').end({ signal: 'SIGKILL' })
  const stopped = supervisor.stop()
  assert.equal(clock.taskCount, 0)
  await settle()
  service('node1').end({})
  assert.equal(await stopped, true)
  clock.advance(60_000)
  assert.equal(launched.length, 2)
})

test('a service that had to be killed is named, and the stop was not clean', async () => {
  const { supervisor, printed, service } = supervise({ nodes: 1 })
  supervisor.markReady()
  const stopped = supervisor.stop()
  service('connector1').end({ signal: 'SIGKILL' }, false)
  await settle()
  service('node1').end({})
  assert.equal(await stopped, false)
  assert.deepEqual(printed, ['connector1: did not stop in time and was killed'])
})

test('kill ends all that runs, and nothing that has ended', () => {
  const { supervisor, service } = supervise()
  supervisor.markReady()
  service('node2').end({ signal: 'SIGKILL' })
  supervisor.kill()
  assert.deepEqual(
    ['node1', 'node2', 'node3', 'connector1'].map((name) => service(name).asked),
    [['kill'], [], ['kill'], ['kill']],
  )
})
