/** The program as a process: what it prints, and where, and with which exit code it ends. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../bin/cohort', import.meta.url))

type Run = Readonly<{ exitCode: number | null; stdout: string; stderr: string }>

/** Runs `cohort` in a directory of its own, without the environment of this process. */
async function cohort(
  args: readonly string[],
  { env = {}, dotEnv }: Readonly<{ env?: { [name: string]: string }; dotEnv?: string }> = {},
): Promise<Run & Readonly<{ files: readonly string[] }>> {
  const cwd = await mkdtemp(join(tmpdir(), 'cohort-cli-'))
  try {
    if (dotEnv !== undefined) await writeFile(join(cwd, '.env'), dotEnv)
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    await once(child, 'close')
    return { exitCode: child.exitCode, stdout, stderr, files: await readdir(cwd) }
  } finally {
    await rm(cwd, { recursive: true })
  }
}

/** A port that is taken while `run` runs, and free afterwards. */
async function withPortTaken(run: (port: number) => Promise<void>): Promise<void> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await run((server.address() as AddressInfo).port)
  } finally {
    server.close()
  }
}

/** A URL at which nobody listens. */
async function deadUrl(): Promise<string> {
  let url = ''
  await withPortTaken(async (port) => {
    url = `http://127.0.0.1:${port}`
  })
  return url
}

const COMMANDS = [
  'up',
  'status',
  'generate',
  'verify',
  'node',
  'connector',
  'add',
  'replace',
  'remove',
  'get',
  'create',
  'update',
  'delete',
  'replicas',
  'backup',
  'restore',
]

test('every command has help with examples, on stdout, with exit code 0', async () => {
  const all = await cohort(['--help'])
  assert.equal(all.exitCode, 0)
  for (const command of COMMANDS) assert.match(all.stdout, new RegExp(`^  ${command} `, 'm'))
  for (const command of COMMANDS) {
    const { exitCode, stdout, stderr } = await cohort([command, '--help'])
    assert.deepEqual([exitCode, stderr], [0, ''])
    assert.match(stdout, new RegExp(`^Examples:\\n.*cohort ${command}`, 'm'))
    assert.doesNotMatch(stdout, /stop-with-parent/)
  }
})

test('the version is that of the package', async () => {
  const { exitCode, stdout } = await cohort(['--version'])
  assert.equal(exitCode, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

test('compiled code is kept in the installation, and not in a directory where other users can write', async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'cohort-cli-'))
  try {
    await cohort(['--version'], { env: { TMPDIR: temporary } })
    assert.deepEqual(await readdir(temporary), [])
    assert.notDeepEqual(await readdir(new URL('../../node_modules/.cache/compiled', import.meta.url)), [])
  } finally {
    await rm(temporary, { recursive: true })
  }
})

test('usage errors and bad settings end with exit code 2 and one sentence, and nothing is started', async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['fly'], /unknown command 'fly'/],
    [['get'], /missing required argument/],
    [['get', 'a', 'b'], /too many arguments/],
    [['get', ''], /at least one character/],
    [['get', 'a', '--nope'], /unknown option '--nope'/],
    [['get', 'a', '--url', 'nope'], /--url must be a URL/],
    [['create', 'a', '--label', 'x'], /Expected key=value/],
    [['status', 'now'], /too many arguments/],
    [['add'], /required option '--host <address>'/],
    [['add', '--host', 'nowhere'], /Expected host:port/],
    [['replace', '--host', 'h:1'], /required option '--old <node-id>'/],
    [['remove'], /missing required argument/],
    [['replicas'], /missing required argument/],
    [['update', 'a'], /nothing to change/],
    [['delete', 'a', '--if-match', ''], /Expected an ETag/],
    [['generate', '--amount', '0'], /--amount must be a whole number from 1 to 1000000, got "0"/],
    [['generate', '--hosts', 'a:1,b:1'], /--hosts must name 1 node, or 3 to 7, got 2: two nodes/],
    [['verify', '--seconds', '0'], /--seconds must be a whole number from 1 to 86400, got "0"/],
    [['verify', '--url', 'http://a', '--url', 'b'], /--url must be a URL/],
    [['verify', '--url', 'http://a', '--url', 'http://a/'], /--url must name each connector once/],
    [['backup'], /required option '--out <file>' not specified/],
    [['restore', '--in', 'f', '--url', 'nope'], /--url must be a URL/],
    [['node', '--port', '8001'], /DATA_DIR is missing/],
    [['connector', '--hosts', 'a:1,b:1'], /--hosts must name 1 node, or 3 to 7, got 2: two nodes/],
    [['up', '--nodes', '2'], /--nodes must be 1, or 3 to 7, got 2: two nodes/],
  ]
  for (const [args, expected] of cases) {
    const { exitCode, stdout, stderr, files } = await cohort(args)
    assert.deepEqual([exitCode, stdout, files], [2, '', []], args.join(' '))
    assert.match(stderr, expected)
    assert.match(stderr, /^cohort: [^\n]*\n(\(Did you mean .*\)\n)?$/, args.join(' '))
  }
})

test('a bad setting is named with the place it came from', async () => {
  const environment = await cohort(['node', '--data-dir', 'd'], { env: { PORT: 'x' }, dotEnv: 'PORT=y\n' })
  assert.equal(environment.exitCode, 2)
  assert.match(environment.stderr, /^cohort: PORT \(from the environment\) must be .*, got "x"\n$/)
  const dotEnv = await cohort(['connector'], { dotEnv: 'HOSTS=http://a:1 http://b:1\n' })
  assert.equal(dotEnv.exitCode, 2)
  assert.match(dotEnv.stderr, /^cohort: HOSTS \(from \.env\) must name 1 node, or 3 to 7, got 2/)
})

test('with no connector running, one sentence says how to start one', async () => {
  const url = await deadUrl()
  for (const args of [
    ['generate'],
    ['status'],
    ['replicas', 'a'],
    ['verify'],
    ['get', 'a'],
    ['create', 'a'],
    ['delete', 'a'],
    ['update', 'a', '--description='],
    ['backup', '--out', 'f'],
  ]) {
    const { exitCode, stdout, stderr, files } = await cohort([...args, '--url', url])
    assert.deepEqual([exitCode, stdout, files], [1, '', []])
    assert.equal(
      stderr,
      `cohort: no connector answers at ${url} (connection refused): start a cluster with "cohort up", or name another with --url\n`,
    )
  }
})

test('up on a port that is in use says so in one sentence, and leaves nothing behind', async () => {
  await withPortTaken(async (taken) => {
    // The second node of this cluster would want the port.
    const { exitCode, stdout, stderr, files } = await cohort(['up', '--port', String(taken - 2)])
    assert.deepEqual([exitCode, stdout, files], [1, '', []])
    assert.equal(
      stderr,
      `cohort: port ${taken} of 127.0.0.1, for node2, is in use: stop what uses it, or choose other ports with --port\n`,
    )
  })
})

test('a node on a port that is in use says so in one sentence', async () => {
  await withPortTaken(async (taken) => {
    const { exitCode, stderr } = await cohort(['node', '--port', String(taken), '--data-dir', 'd'])
    assert.equal(exitCode, 1)
    assert.match(stderr, new RegExp(`^cohort: 127.0.0.1:${taken} is in use`, 'm'))
  })
})
