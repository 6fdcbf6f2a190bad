import assert from 'node:assert/strict'
import { type SpawnOptions, spawn } from 'node:child_process'
import { test } from 'node:test'
import { systemClock } from '../../process/clock.ts'
import { FakeChild } from '../../testing/fake-child.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { type End, ServiceProcess } from './service-process.ts'

type Started = Readonly<{ command: string; args: readonly string[]; options: SpawnOptions }>

type Plan = ConstructorParameters<typeof ServiceProcess>[0]

/** A service whose process is a double. */
function aService(args: readonly string[] = [], more: Partial<Plan> = {}) {
  const child = new FakeChild()
  const clock = new ManualClock()
  const started: Started[] = []
  const lines: string[] = []
  const ends: End[] = []
  const handlers = { onLine: (line: string) => lines.push(line), onEnd: (end: End) => ends.push(end) }
  const service = new ServiceProcess({ args, ...more }, handlers, {
    clock,
    spawn: (command, args, options) => {
      started.push({ command, args, options })
      return child.asChild()
    },
  })
  return { service, child, clock, started, lines, ends }
}

test('it is this program, with its arguments, in a process group of its own and with a channel to this process', () => {
  const { started, service } = aService(['node', '--port=1'])
  assert.equal(started.length, 1)
  const [{ command, args, options }] = started as [Started]
  assert.equal(command, process.execPath)
  assert.match(args.at(-3)!, /\/bin\/cohort$/)
  assert.deepEqual(args.slice(-2), ['node', '--port=1'])
  assert.equal(options.detached, true)
  assert.deepEqual(options.stdio, ['ignore', 'pipe', 'pipe', 'ipc'])
  assert.equal(service.pid, 4242)
})

test('another program has its own signal and environment, and a guard that stops it when this process is gone', async () => {
  const environment = { DATABASE_URL: 'postgres://a@b/c' }
  const more = { program: '/bin/other', environment, stopSignal: 'SIGINT' } as const
  const { started, service, child, clock } = aService(['-x'], more)
  const [{ command, args, options }, guard] = started as [Started, Started]
  assert.deepEqual([command, args], ['/bin/other', ['-x']])
  assert.deepEqual(options.stdio, ['ignore', 'pipe', 'pipe'])
  assert.equal(options.env?.DATABASE_URL, environment.DATABASE_URL)
  assert.equal(options.env?.PATH, process.env.PATH)
  assert.deepEqual(guard.args.slice(-2), ['4242', 'INT'])
  assert.deepEqual(guard.options.stdio, ['pipe', 'ignore', 'ignore'])
  const stopped = service.stop(5_000)
  assert.deepEqual(child.signals, ['SIGINT'])
  await child.end(0)
  assert.equal(await stopped, true)
  assert.deepEqual(child.signals, ['SIGINT', 'SIGKILL'], 'the guard, which is the same double, is ended')
  assert.equal(clock.taskCount, 0)
})

test('a stop asks once, and waits as long as the process takes within its time', async () => {
  const { service, child, clock, ends } = aService()
  clock.advance(30_000)
  const stopped = service.stop(5_000)
  assert.deepEqual(child.signals, ['SIGTERM'])
  clock.advance(4_999)
  assert.deepEqual(child.signals, ['SIGTERM'])
  await child.end(0)
  assert.equal(await stopped, true)
  assert.equal(clock.taskCount, 0)
  assert.deepEqual(ends, [{ code: 0, signal: null, livedMs: 34_999 }])
})

test('a process that has not ended when its time is over is killed, and the stop was not clean', async () => {
  const { service, child, clock } = aService()
  const stopped = service.stop(5_000)
  clock.advance(5_000)
  assert.deepEqual(child.signals, ['SIGTERM', 'SIGKILL'])
  await child.end(null, 'SIGKILL')
  assert.equal(await stopped, false)
})

test('a program that cannot be started says why, and ends once', async () => {
  const { service, child, lines, ends } = aService()
  child.pid = undefined
  child.emit('error', new Error('spawn ENOENT'))
  await child.end(null)
  assert.deepEqual(lines, ['spawn ENOENT'])
  assert.deepEqual(ends, [{ code: 1, signal: null, livedMs: 0 }])
  assert.equal(await service.stop(5_000), true, 'a stop of what is gone resolves at once')
})

test('an error of a running process is logged, and does not end it', async () => {
  const { child, lines, ends } = aService()
  child.emit('error', new Error('kill EPERM'))
  assert.deepEqual([lines, ends], [['kill EPERM'], []])
  await child.end(3)
  assert.deepEqual(
    ends.map(({ code }) => code),
    [3],
  )
})

test('every line of both outputs of a real process is read before its end is reported, also one without a line end', async () => {
  const script =
    "console.log('one\\r\\ntwo'); console.error('three'); process.stdout.write('four'); process.exitCode = 7"
  const lines: string[] = []
  const end = await new Promise<End>((resolve) => {
    const handlers = { onLine: (line: string) => lines.push(line), onEnd: resolve }
    const service = new ServiceProcess({ args: [] }, handlers, {
      clock: systemClock,
      spawn: (command, _, options) => spawn(command, ['--eval', script], options),
    })
    assert.ok(service.pid !== undefined && service.pid > 0)
  })
  assert.deepEqual([end.code, end.signal], [7, null])
  assert.deepEqual(lines.toSorted(), ['four', 'one', 'three', 'two'])
})
