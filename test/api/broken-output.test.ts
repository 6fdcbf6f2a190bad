/**
 * Broken output stops no command. If the reader of its output has left, or the disk is full, a command makes
 * the same changes and ends with the exit code that reports them.
 */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BackupWriter } from '../../src/cli/backup/backup-format.ts'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { Output } from '../../src/cli/output.ts'
import { runProgram } from '../../src/cli/program.ts'
import { runToEnd } from '../../src/cli/run-to-end.ts'
import { createGroup } from '../../src/group/create-group.ts'
import { DescriptorDestination, type Destination, StreamDestination } from '../../src/process/destination.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import type { MemoryGroupMembers } from './memory-group-members.ts'
import type { MemoryRegistry } from './memory-registry.ts'
import { ScriptedMembers } from './scripted-members.ts'
import { testApp } from './test-app.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/cohort', import.meta.url))
const NOW = '2026-01-01T00:00:00.000Z'

/**
 * The state of a stream: it is read to its end, its reader has left before the start, or it is a full device.
 */
type Stream = 'kept' | 'closed' | 'full'

/** The shell text that gives the program such a stream. */
const REDIRECTIONS = {
  kept: () => '',
  closed: (descriptor: number) => `exec 3> >(exec true); wait $!; exec ${descriptor}>&3 3>&-;`,
  full: (descriptor: number) => `exec ${descriptor}> /dev/full;`,
} as const satisfies Record<Stream, (descriptor: number) => string>

type Run = Readonly<{ exitCode: number | null; stdout: string; stderr: string }>
type Streams = Readonly<{ stdout: Stream; stderr: Stream }>

/** Runs a command in a process of its own. */
async function cohort(args: readonly string[], streams: Streams, cwd: string): Promise<Run> {
  const script = `${REDIRECTIONS[streams.stdout](1)} ${REDIRECTIONS[streams.stderr](2)} exec "$@"`
  const child = spawn('bash', ['-c', script, 'bash', process.execPath, PROGRAM, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      printed[name] += chunk
    })
  }
  await once(child, 'close', { signal: AbortSignal.timeout(60_000) })
  return { exitCode: child.exitCode, ...printed }
}

/** Runs a command in this process, with real streams in the same states: a process for each costs more. */
async function cohortHere(args: readonly string[], streams: Streams, cwd: string): Promise<Run> {
  const files = await mkdtemp(join(tmpdir(), 'cohort-streams-'))
  const opened = { stdout: openStream(streams.stdout, files), stderr: openStream(streams.stderr, files) }
  const terminal = { isTerminal: false, columns: undefined, rows: undefined, hasColours: false }
  const context = {
    environment: { variables: { HOME: cwd }, dotEnv: {} },
    stdout: new Output(opened.stdout.destination, terminal),
    stderr: new Output(opened.stderr.destination, terminal),
  }
  const before = process.cwd()
  process.chdir(cwd)
  try {
    const { exitCode } = await runToEnd(context, () => runProgram(context, args))
    return { exitCode, stdout: opened.stdout.close(), stderr: opened.stderr.close() }
  } finally {
    process.exitCode = undefined
    process.chdir(before)
    await rm(files, { recursive: true })
  }
}

/** A stream in this state. `close` gives what was written to it, if it is kept. */
function openStream(
  state: Stream,
  directory: string,
): Readonly<{ destination: Destination; close: () => string }> {
  if (state === 'closed') {
    const path = join(directory, `pipe${randomInt(2 ** 40)}`)
    assert.equal(spawnSync('mkfifo', [path]).status, 0)
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const socket = new Socket({ fd: openSync(path, 'w'), readable: false, writable: true })
    closeSync(reader)
    const close = () => {
      socket.destroy()
      return ''
    }
    return { destination: new StreamDestination(socket), close }
  }
  const path = state === 'full' ? '/dev/full' : join(directory, `kept${randomInt(2 ** 40)}`)
  const descriptor = openSync(path, 'w')
  const close = () => {
    closeSync(descriptor)
    return state === 'kept' ? readFileSync(path, 'utf8') : ''
  }
  return { destination: new DescriptorDestination(descriptor), close }
}

/**
 * A connector with a registry in memory, a port that is in use, and a directory with an empty backup.
 */
type World = Readonly<{
  url: string
  directory: string
  registry: MemoryRegistry
  groupMembers: MemoryGroupMembers
  members: ScriptedMembers
  takenPort: number
}>

async function inWorld(run: (world: World) => Promise<void>): Promise<void> {
  const members = new ScriptedMembers()
  const { app, registry, groupMembers } = testApp({ engine: { members } })
  await registry.change(
    'there',
    createGroup({ groupId: 'there', now: NOW, author: AUTHOR, incarnation: 'i' }),
  )
  const directory = await mkdtemp(join(tmpdir(), 'cohort-broken-output-'))
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    await writeFile(join(directory, 'empty.jsonl'), emptyBackup())
    const { port: takenPort } = server.address() as AddressInfo
    await run({ url, directory, registry, groupMembers, members, takenPort })
  } finally {
    server.close()
    await app.close()
    await rm(directory, { recursive: true })
  }
}

function emptyBackup(): Buffer {
  const writer = new BackupWriter()
  const header = writer.header({ clusterId: 'c', epoch: 1, startedAt: NOW, writtenBy: 'a test' })
  return Buffer.concat([header, writer.end(NOW)])
}

async function has({ registry }: World, groupId: string): Promise<boolean> {
  const outcome = await registry.read(groupId)
  return outcome.kind === 'done' && outcome.value !== undefined
}

async function isEmpty({ registry }: World): Promise<boolean> {
  await registry.change('there', () => ({ kind: 'changed', group: undefined, answer: undefined as never }))
  return true
}

type Case = Readonly<{
  /**
   * `process`: it is a process of its own, with each of its streams in each state. `broken process`: it is a
   * process, both of whose streams are broken; for commands that leave connections open, and for services,
   * which log by themselves. Default: it runs here, with each stream in each state.
   */
  as?: 'process' | 'broken process'
  /**
   * The arguments of the command. `--url` is added, unless the first word is an option or a process to
   * run.
   */
  args: (world: World) => readonly string[]
  /** The exit code when all output can be written. */
  exitCode: number
  /** Whether it prints a result that no exit code shows. */
  isAnswer?: boolean
  /** Whether its stdout is the file that it makes. */
  isFile?: boolean
  prepare?: (world: World) => Promise<unknown>
  /** What must have been done, even if the output was lost. */
  check?: (world: World) => Promise<void>
}>

const CASES: Readonly<Record<string, Case>> = {
  help: { args: () => ['--help'], exitCode: EXIT.ok, isAnswer: true },
  'a usage error': { args: () => ['get'], exitCode: EXIT.usage },
  get: { as: 'process', args: () => ['get', 'there'], exitCode: EXIT.ok, isAnswer: true },
  'get of what is not there': { args: () => ['get', 'away', '--json'], exitCode: EXIT.failed },
  create: {
    args: () => ['create', 'new'],
    exitCode: EXIT.ok,
    isAnswer: true,
    check: async (world) => assert.ok(await has(world, 'new')),
  },
  update: {
    args: () => ['update', 'there', '--description', 'new', '--json'],
    exitCode: EXIT.ok,
    isAnswer: true,
    check: async ({ registry }) => {
      const outcome = await registry.read('there')
      assert.equal(outcome.kind === 'done' && outcome.value?.description, 'new')
    },
  },
  delete: {
    args: () => ['delete', 'there'],
    exitCode: EXIT.ok,
    isAnswer: true,
    check: async (world) => assert.ok(!(await has(world, 'there'))),
  },
  replicas: { args: () => ['replicas', 'there'], exitCode: EXIT.degraded, isAnswer: true },
  status: { args: () => ['status'], exitCode: EXIT.degraded, isAnswer: true },
  // These nodes cannot be reached, so the groups are not verified.
  generate: {
    as: 'broken process',
    args: ({ takenPort }) => ['generate', '-a', '3', '--hosts', `127.0.0.1:${takenPort}`],
    exitCode: EXIT.failed,
    check: async ({ registry }) => {
      const outcome = await registry.scan({ after: undefined, limit: 10 })
      assert.equal(outcome.kind === 'done' && outcome.value.groups.length, 4)
    },
  },
  verify: {
    as: 'broken process',
    args: () => ['verify', '--seconds', '1', '--clients', '2'],
    exitCode: EXIT.ok,
    check: async ({ registry }) => {
      const outcome = await registry.scan({ after: undefined, limit: 10 })
      assert.equal(outcome.kind === 'done' && outcome.value.groups.length, 1)
    },
  },
  add: memberCase(['add', '--host', 'n4:8001'], 'add n4:8001'),
  replace: memberCase(['replace', '--old', 'n1', '--host', 'n4:8001'], 'replace n1 by n4:8001'),
  remove: memberCase(['remove', 'n1'], 'remove n1'),
  list: { args: () => ['list'], exitCode: EXIT.ok, isAnswer: true },
  'watch that is refused': { args: () => ['watch', '--prefix', ''], exitCode: EXIT.failed },
  members: { args: () => ['members', 'there'], exitCode: EXIT.ok, isAnswer: true },
  'member add': {
    args: () => ['member', 'add', 'there', 'alice'],
    exitCode: EXIT.ok,
    isAnswer: true,
    check: async ({ groupMembers }) => {
      const outcome = await groupMembers.read('there', 'alice')
      assert.equal(outcome.kind === 'done' && outcome.value.member?.memberId, 'alice')
    },
  },
  'key list': { args: () => ['key', 'list'], exitCode: EXIT.ok, isAnswer: true },
  'login without a key': { args: () => ['login', '--key-file', 'nowhere'], exitCode: EXIT.usage },
  logout: { args: () => ['logout'], exitCode: EXIT.ok },
  'certs init': {
    args: () => ['certs', 'init', '--out', 'made', '--hosts', 'n1'],
    exitCode: EXIT.ok,
    isAnswer: true,
    check: async ({ directory }) => {
      assert.deepEqual(await readdir(join(directory, 'made', 'nodes', 'n1')), [
        'ca.crt',
        'tls.crt',
        'tls.key',
      ])
    },
  },
  'postgres that does not answer': {
    args: () => ['postgres', 'init', '--database', 'postgres://nobody@127.0.0.1:1/cohort'],
    exitCode: EXIT.failed,
  },
  'backup into a file': {
    args: () => ['backup', '--out', 'made.jsonl'],
    exitCode: EXIT.ok,
    check: async ({ directory }) => assert.deepEqual(await readdir(directory), ['empty.jsonl', 'made.jsonl']),
  },
  'backup to stdout': { args: () => ['backup', '--out', '-'], exitCode: EXIT.ok, isFile: true },
  'restore --check': { args: () => ['restore', '--check', '--in', 'empty.jsonl'], exitCode: EXIT.ok },
  restore: { args: () => ['restore', '--in', 'empty.jsonl'], exitCode: EXIT.ok, prepare: isEmpty },
  'up that cannot start': {
    as: 'broken process',
    args: ({ takenPort }) => ['up', '--port', String(takenPort)],
    exitCode: EXIT.failed,
    check: async ({ directory }) => assert.deepEqual(await readdir(directory), ['empty.jsonl']),
  },
  'node that cannot start': {
    as: 'broken process',
    args: ({ takenPort }) => ['node', '--port', String(takenPort), '--data-dir', 'd'],
    exitCode: EXIT.failed,
  },
  'connector that cannot start': {
    as: 'broken process',
    args: ({ takenPort }) => ['connector', '--port', String(takenPort), '--hosts', '127.0.0.1:1'],
    exitCode: EXIT.failed,
  },
}

function memberCase(args: readonly string[], asked: string): Case {
  return {
    args: () => [...args, '--no-wait'],
    exitCode: EXIT.ok,
    check: async ({ members }) => assert.deepEqual(members.asked, [asked]),
  }
}

/** Each stream in each state. */
const BROKEN = [
  { stdout: 'full', stderr: 'kept' },
  { stdout: 'closed', stderr: 'full' },
  { stdout: 'kept', stderr: 'closed' },
] as const satisfies readonly Readonly<{ stdout: Stream; stderr: Stream }>[]

function expectedCode({ exitCode, isAnswer, isFile }: Case, stdout: Stream): number {
  if (isFile && stdout !== 'kept') return EXIT.failed
  return exitCode === EXIT.ok && isAnswer && stdout === 'full' ? EXIT.unprinted : exitCode
}

async function runCase(it: Case, streams: (typeof BROKEN)[number]): Promise<void> {
  await inWorld(async (world) => {
    await it.prepare?.(world)
    const args = it.args(world)
    const isClient = !/^(-|up$|node$|connector$|certs$|postgres$)/.test(args[0]!)
    const run = await (it.as === undefined ? cohortHere : cohort)(
      [...args, ...(isClient ? ['--url', world.url] : [])],
      streams,
      world.directory,
    )
    const claim = `${args.join(' ')} with ${JSON.stringify(streams)}: ${JSON.stringify(run)}`
    assert.equal(run.exitCode, expectedCode(it, streams.stdout), claim)
    await it.check?.(world)
    // No stack trace, and a sentence only if a result was lost.
    assert.doesNotMatch(run.stderr, /^ {4}at |node:internal/m, claim)
    if (it.exitCode === EXIT.ok && !it.isFile && streams.stdout !== 'full')
      assert.equal(run.stderr, '', claim)
    if (it.exitCode === EXIT.ok && !it.isFile && streams.stdout === 'full' && streams.stderr === 'kept') {
      assert.match(run.stderr, /^cohort: not everything could be printed \(ENOSPC.*\)\n$/, claim)
    }
  })
}

for (const [name, it] of Object.entries(CASES)) {
  test(`${name}: broken output changes neither the work nor the exit code`, {
    skip: !existsSync('/dev/full'),
  }, async () => {
    // One after the other, because a command that runs here uses the working directory of this process.
    for (const streams of BROKEN) {
      const areBroken = streams.stdout !== 'kept' && streams.stderr !== 'kept'
      if (it.as !== 'broken process' || areBroken) await runCase(it, streams)
    }
  })
}

test('a watch ends when its reader is gone, and goes on while its disk is full', {
  skip: !existsSync('/dev/full'),
}, async () => {
  await inWorld(async ({ url, directory }) => {
    const args = ['status', '--watch', '--json', '--url', url]
    const gone = await cohort(args, { stdout: 'closed', stderr: 'kept' }, directory)
    assert.deepEqual([gone.exitCode, gone.stderr], [EXIT.degraded, ''])
    const timed = ['timeout', '-s', 'INT', '3', process.execPath, PROGRAM, ...args]
    const child = spawn('bash', ['-c', 'exec "$@" > /dev/full', 'bash', ...timed], { cwd: directory })
    const [exitCode] = await once(child, 'close', { signal: AbortSignal.timeout(60_000) })
    // `timeout` has its own code where it had to end something.
    assert.equal(exitCode, 124)
  })
})

test('every command is among the cases', async () => {
  await inWorld(async ({ directory }) => {
    const { stdout } = await cohortHere(['--help'], { stdout: 'kept', stderr: 'kept' }, directory)
    const [, list = ''] = /^Commands:\n((?: {2}.*\n)+)/m.exec(stdout) ?? []
    const commands = [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!)
    assert.ok(commands.length >= 16, stdout)
    const covered = new Set(Object.keys(CASES).map((name) => name.split(' ')[0]))
    assert.deepEqual(
      commands.filter((command) => !covered.has(command)),
      [],
    )
  })
})
