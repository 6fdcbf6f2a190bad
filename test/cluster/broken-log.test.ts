/**
 * A log that cannot be written ends no process: real nodes, connectors and `cohort up` on full disks and dead
 * pipes.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, existsSync, openSync } from 'node:fs'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { statusOf } from './cluster-status.ts'
import { leaveNothing, startedProcesses } from './leave-nothing.ts'
import { call, create } from './load.ts'
import { freePorts } from './ports.ts'
import { STARTED_BY, THIS_PROGRAM } from './service.ts'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'
import { until, within } from './waiting.ts'

/** The time that the start of a few processes may take on a busy machine. */
const READY_MS = 20_000
/** The time that a drain may take with no request under way. */
const STOPPED_MS = 10_000

leaveNothing()

/** Processes whose stdout a shell has redirected, in a directory of their own. */
class Processes implements AsyncDisposable {
  readonly directory: string
  readonly #removeDirectory: () => PromiseLike<void>
  readonly #children: ChildProcess[] = []

  private constructor(directory: TemporaryDirectory) {
    this.directory = directory.path
    this.#removeDirectory = () => directory[Symbol.asyncDispose]()
  }

  static async make(): Promise<Processes> {
    return new Processes(await temporaryDirectory())
  }

  /** `redirection` is the shell text before `cohort` starts. */
  start(redirection: string, args: readonly (string | number)[]): ChildProcess {
    const program = [...THIS_PROGRAM, ...args.map(String)]
    const child = spawn('bash', ['-c', `${redirection}; exec "$@"`, 'bash', ...program], {
      cwd: this.directory,
      env: { PATH: process.env.PATH, [STARTED_BY]: String(process.pid) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    this.#children.push(child)
    return child
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const exit = once(child, 'exit')
      child.kill('SIGKILL')
      await within(STOPPED_MS, exit, 'a killed process is gone')
    }
    // The processes that `up` has started end after it.
    const areGone = async () => (await startedProcesses(process.pid)).length === 0
    await until('nothing is left', STOPPED_MS, areGone)
    await this.#removeDirectory()
  }
}

/** The exit code after SIGTERM. */
async function stopped(child: ChildProcess): Promise<number | null> {
  assert.equal(child.exitCode, null, 'it has ended by itself')
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  await within(STOPPED_MS, exit, 'it has ended')
  return child.exitCode
}

async function untilReady(port: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/readyz`
  await until('the connector is ready', READY_MS, async () => (await statusOf(url)) === 200)
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url, { signal: AbortSignal.timeout(STOPPED_MS) })).text()
}

async function droppedLines(port: number): Promise<number> {
  const text = await textOf(`http://127.0.0.1:${port}/metrics`)
  return Number(/^cohort_log_lines_dropped_total (\d+)$/m.exec(text)?.[1])
}

/** What `up` writes first when it can write again: `1 line`, `12,345 lines`. */
const MISSING_LINES = /^cohort +\| missing here: [\d,]+ lines? that could not be written$/m

const FULL = 'exec > /dev/full'
/** A pipe whose reader has ended. */
const DEAD_PIPE = 'exec 3> >(exec true); wait $!; exec >&3 3>&-'

for (const [name, redirection] of [
  ['a full disk', FULL],
  ['a dead pipe', DEAD_PIPE],
] as const) {
  test(`a node and a connector serve with ${name} as their log, and count the lost lines`, {
    skip: !existsSync('/dev/full'),
  }, async () => {
    await using processes = await Processes.make()
    const [port, metricsPort, connectorPort] = await freePorts(3)
    const node = processes.start(redirection, [
      ...['node', '--port', port!, '--metrics-port', metricsPort!, '--data-dir', 'data'],
    ])
    const connector = processes.start(redirection, [
      ...['connector', '--port', connectorPort!, '--hosts', `127.0.0.1:${port}`],
    ])
    await untilReady(connectorPort!)
    assert.equal((await create(`http://127.0.0.1:${connectorPort}`, 'a')).status, 201)
    assert.ok((await droppedLines(metricsPort!)) >= 1)
    assert.ok((await droppedLines(connectorPort!)) >= 1)
    assert.deepEqual([await stopped(connector), await stopped(node)], [0, 0])
  })

  test(`a cluster serves with ${name} as the output of up, and stops when it is asked to`, {
    skip: !existsSync('/dev/full'),
  }, async () => {
    await using processes = await Processes.make()
    const [port] = await freePorts(4)
    const up = processes.start(redirection, ['up', '--nodes', 1, '--port', port!, '--data-dir', 'data'])
    await untilReady(port!)
    assert.equal((await create(`http://127.0.0.1:${port}`, 'a')).status, 201)
    assert.equal(await stopped(up), 0)
  })
}

/** A pipe which is open for reading, and from which nobody reads: its pager has stopped. */
const STOPPED_READER = 'mkfifo pipe; exec 3<> pipe; exec > pipe'
/** Makes the nodes and connectors write some hundred lines for each request. */
const LISTS = 300
const VERBOSE = 'export GRPC_VERBOSITY=DEBUG GRPC_TRACE=all'

test('a cluster serves when the reader of its output has stopped, drops lines, and stops when it is asked to', async () => {
  await using processes = await Processes.make()
  const [port] = await freePorts(4)
  const up = processes.start(`${VERBOSE}; ${STOPPED_READER}`, [
    ...['up', '--nodes', 1, '--port', port!, '--data-dir', 'data'],
  ])
  await untilReady(port!)
  const url = `http://127.0.0.1:${port}`
  // More lines than the pipe and the memory for waiting lines hold: a list makes some kilobytes of them.
  const fill = async (lists: number) => {
    for (let count = 0; count < lists; count += 1)
      assert.equal((await call('GET', `${url}/v1/group`)).status, 200)
  }
  assert.equal((await create(url, 'a')).status, 201)
  await fill(LISTS)
  const fd = openSync(join(processes.directory, 'pipe'), constants.O_RDONLY | constants.O_NONBLOCK)
  const reader = new Socket({ fd, readable: true, writable: false })
  let text = ''
  reader.on('data', (chunk) => {
    text += chunk.toString()
  })
  const tells = () => MISSING_LINES.test(text)
  await until('it says that lines were dropped', READY_MS, tells)
  reader.pause()
  // The pipe is full again.
  await fill(LISTS / 5)
  assert.equal(await stopped(up), 0)
  reader.destroy()
})

/** A size that only the log reaches, which has it from the start, and no other file of the cluster. */
const LIMIT_BYTES = 64 * 1024 * 1024

test('a log at its size limit loses lines, and the next that can be written follow one that says how many', async () => {
  await using processes = await Processes.make()
  const log = join(processes.directory, 'log')
  await writeFile(log, '')
  await truncate(log, LIMIT_BYTES)
  const [port] = await freePorts(4)
  const up = processes.start(`ulimit -f ${LIMIT_BYTES / 1024}; exec >> log`, [
    ...['up', '--nodes', 1, '--port', port!, '--data-dir', 'data'],
  ])
  await untilReady(port!)
  assert.equal((await create(`http://127.0.0.1:${port}`, 'a')).status, 201)
  // As a program does that rotates logs.
  await truncate(log, 0)
  assert.equal(await stopped(up), 0)
  const lines = (await readFile(log, 'utf8')).split('\n')
  assert.match(lines[0]!, MISSING_LINES)
  // In between may stand what `up` says when it is ready: clients may be answered a moment before that.
  assert.ok(lines.includes('cohort    | stopping: connectors first, then nodes'), lines.join('\n'))
  assert.equal(lines.filter((line) => MISSING_LINES.test(line)).length, 1)
  assert.equal(lines.at(-2), 'cohort    | stopped')
})

test('a connector says in its log how many lines are missing', async () => {
  await using processes = await Processes.make()
  const log = join(processes.directory, 'log')
  await writeFile(log, '')
  await truncate(log, LIMIT_BYTES)
  const [port, nodePort] = await freePorts(2)
  const connector = processes.start(`ulimit -f ${LIMIT_BYTES / 1024}; exec >> log`, [
    ...['connector', '--port', port!, '--hosts', `127.0.0.1:${nodePort}`],
  ])
  const url = `http://127.0.0.1:${port}/livez`
  await until('it answers', READY_MS, async () => (await statusOf(url)) === 200)
  await until('it has lost a line', READY_MS, async () => (await droppedLines(port!)) > 0)
  await truncate(log, 0)
  assert.equal(await stopped(connector), 0)
  const [gap, ...more] = (await readFile(log, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    [gap.level, gap.name, gap.msg],
    [40, 'connector', 'log lines could not be written and were dropped'],
  )
  assert.ok(gap.dropped >= 1)
  assert.deepEqual(
    more.map(({ msg }) => msg),
    ['connector is stopping', 'connector has stopped'],
  )
})
