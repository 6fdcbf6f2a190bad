/** The program as a process: what it prints, and where, and with which exit code it ends. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, mkdtempDisposable, readdir, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { describeFailure } from './failure.ts'
import { Output } from './output.ts'
import { COMMAND_NAMES, runProgram } from './program.ts'

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

/** The same without a process: the program in this one, for arguments that start nothing. */
async function parsed(
  args: readonly string[],
  variables: { readonly [name: string]: string } = {},
): Promise<Run & { flushMs: number | undefined }> {
  let flushMs: number | undefined
  const printed = { stdout: '', stderr: '' }
  const flush = async (timeoutMs: number | undefined) => {
    flushMs = timeoutMs
    return true
  }
  const outputTo = (name: keyof typeof printed) => {
    const write = (text: string) => {
      printed[name] += text
    }
    const destination = { write, writeAll: async () => {}, flush, error: undefined }
    return new Output(destination, {
      isTerminal: false,
      columns: undefined,
      rows: undefined,
      hasColours: false,
    })
  }
  const environment = { variables, dotEnv: {} }
  const context = { environment, stdout: outputTo('stdout'), stderr: outputTo('stderr') }
  const thrown = await runProgram(context, args).then(
    () => assert.fail('the command has begun its work'),
    describeFailure,
  )
  if (thrown === undefined) throw new Error('a bug was met')
  const said = thrown.message === '' ? '' : `cohort: ${thrown.message}\n`
  await context.stdout.flush()
  return { exitCode: thrown.exitCode, stdout: printed.stdout, stderr: printed.stderr + said, flushMs }
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
  'list',
  'get',
  'create',
  'update',
  'delete',
  'replicas',
  'backup',
  'restore',
  'login',
  'logout',
  'key create',
  'key list',
  'key rotate',
  'key revoke',
  'key hash',
  'postgres init',
]

test('a command that runs until it is stopped waits a second for its reader, and any other one as long as it takes', async () => {
  for (const command of ['up', 'node', 'connector'])
    assert.equal((await parsed([command, '--port', 'x'])).flushMs, 1_000, command)
  assert.equal((await parsed(['get'])).flushMs, undefined)
})

test('every command has help with examples, on stdout, with exit code 0', async () => {
  const all = await cohort(['--help'])
  assert.equal(all.exitCode, 0)
  for (const command of COMMANDS) {
    assert.match(all.stdout, new RegExp(`^  ${command.split(' ')[0]} `, 'm'))
  }
  for (const command of COMMANDS) {
    const { exitCode, stdout, stderr } = await parsed([...command.split(' '), '--help'])
    assert.deepEqual([exitCode, stderr], [0, ''])
    assert.match(stdout, new RegExp(`^Examples:\\n.*cohort ${command}`, 'm'))
    assert.doesNotMatch(stdout, /stop-with-parent/)
  }
})

test('the first argument loads the command of that name', async () => {
  for (const name of COMMAND_NAMES) {
    const { stdout } = await parsed([name, '--help'])
    assert.equal(stdout.split(/[ \n]/, 3).join(' '), `Usage: cohort ${name}`)
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
    [['add', '--host', '0.0.0.0:8001'], /this one stands for all addresses of a machine/],
    [['replace', '--old', 'n', '--host', 'http://[::]:8001/'], /this one stands for all addresses/],
    [['connector', '--hosts', '0.0.0.0:8001'], /--hosts must name each node as others reach it, got 0\.0/],
    [['generate', '--hosts', '[::]:8001'], /--hosts must name each node as others reach it/],
    [['replace', '--host', 'h:1'], /required option '--old <node-id>'/],
    [['remove'], /missing required argument/],
    [['replicas'], /missing required argument/],
    [['update', 'a'], /nothing to change/],
    [['delete', 'a', '--if-match', ''], /Expected an ETag/],
    [['generate', '--amount', '0'], /--amount must be a whole number from 1 to 1000000, got "0"/],
    [
      ['generate', '--amount', '100000', '--members', '101'],
      /--amount times --members must be at most 10000000, got 10100000/,
    ],
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
    const { exitCode, stdout, stderr } = await parsed(args)
    assert.deepEqual([exitCode, stdout], [2, ''], args.join(' '))
    assert.match(stderr, expected)
    assert.match(stderr, /^cohort: [^\n]*\n(\(Did you mean .*\)\n)?$/, args.join(' '))
  }
  // One error of the parser, and one of a command, as a process.
  for (const args of [['get'], ['up', '--nodes', '2']]) {
    const { exitCode, stdout, stderr, files } = await cohort(args)
    assert.deepEqual([exitCode, stdout, files], [2, '', []])
    assert.equal(stderr, (await parsed(args)).stderr)
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
  const said = `cohort: no connector answers at ${url} (connection refused): start a cluster with "cohort up", or name another with --url\n`
  for (const args of [
    ['generate'],
    ['status'],
    ['replicas', 'a'],
    ['verify'],
    ['get', 'a'],
    ['create', 'a'],
    ['delete', 'a'],
    ['update', 'a', '--description='],
  ]) {
    const { exitCode, stdout, stderr } = await parsed([...args, '--url', url])
    assert.deepEqual([exitCode, stdout, stderr], [1, '', said], args.join(' '))
  }
  // One that would make a file, as a process.
  const { exitCode, stdout, stderr, files } = await cohort(['backup', '--out', 'f', '--url', url])
  assert.deepEqual([exitCode, stdout, stderr, files], [1, '', said, []])
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

/**
 * Runs `cohort` with arguments and variables that only a shell can give: `script` is what stands around it.
 */
async function inShell(script: string) {
  const cwd = await mkdtemp(join(tmpdir(), 'cohort-cli-'))
  try {
    const cohort = `'${process.execPath}' '${PROGRAM}'`
    const child = spawn('bash', ['-c', script.replaceAll('cohort', cohort)], {
      cwd,
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
      })
    }
    await once(child, 'close', { signal: AbortSignal.timeout(60_000) })
    return { exitCode: child.exitCode, output, files: await readdir(cwd) }
  } finally {
    await rm(cwd, { recursive: true })
  }
}

test('arguments that are not UTF-8 are refused by name before anything is done', {
  skip: !existsSync('/proc/self/cmdline'),
}, async () => {
  for (const [script, shown] of [
    ["cohort backup --out $'caf\\xe9.jsonl'", 'caf\\xe9.jsonl'],
    ["cohort node --port 0 --data-dir $'caf\\xe9'", 'caf\\xe9'],
  ] as const) {
    const { exitCode, output, files } = await inShell(script)
    assert.deepEqual([exitCode, files], [2, []], script)
    assert.equal(output, `cohort: the argument "${shown}" is not UTF-8 text\n`)
  }
})

test('U+FFFD itself is a character like any other', { skip: !existsSync('/proc/self/cmdline') }, async () => {
  const { exitCode, output } = await inShell("cohort get $'\\xef\\xbf\\xbd' --url http://127.0.0.1:1")
  assert.equal(exitCode, 1)
  assert.match(output, /no connector answers/)
})

test('variables that are not UTF-8 are refused by name where they are used', {
  skip: !existsSync('/proc/self/environ'),
}, async () => {
  const used = await inShell("DATA_DIR=$'caf\\xe9' cohort node --port 0")
  assert.deepEqual([used.exitCode, used.files], [2, []])
  assert.equal(used.output, 'cohort: DATA_DIR (from the environment) must be UTF-8 text, got "caf\\xe9"\n')
  const unused = await inShell("DATA_DIR=$'caf\\xe9' cohort get a --url http://127.0.0.1:1")
  assert.match(unused.output, /no connector answers/)
})

test('a relative data directory is refused where the working directory is not UTF-8 text', {
  skip: !existsSync('/proc/self/cwd'),
}, async () => {
  const inOddDirectory = (script: string) => inShell(`mkdir $'caf\\xe9' && cd $'caf\\xe9' && ${script}`)
  for (const script of ['cohort node --port 0 --data-dir d', 'cohort up --port 20000']) {
    const { exitCode, output, files } = await inOddDirectory(script)
    assert.deepEqual([exitCode, files.length], [2, 1])
    assert.match(output, /must be an absolute path, got "(d|\.cohort)": the path of the working directory is/)
  }
})

test('a .env that is a directory, or is not UTF-8, stops only commands that look for a setting in it', async () => {
  const asDirectory = await inShell('mkdir .env && cohort get a')
  assert.match(asDirectory.output, /no connector answers at http:\/\/127\.0\.0\.1:8000/)
  const garbled = "printf 'PORT=1\\nHOST=caf\\xe9\\n' > .env && "
  const needed = await inShell(`${garbled} cohort get a`)
  assert.equal(needed.exitCode, 2)
  assert.match(
    needed.output,
    /^cohort: \S+\/\.env is not UTF-8 text \(line 2\): save it as UTF-8, or remove it\n$/,
  )
  const notNeeded = await inShell(`${garbled} cohort key hash --new key`)
  assert.match(notNeeded.output, /^sha256:/)
  const marked = await inShell("printf '\\xef\\xbb\\xbfPORT=1\\n' > .env && cohort get a")
  assert.match(marked.output, /no connector answers at http:\/\/127\.0\.0\.1:1/)
})

test('a HOST that came from the environment, and that nothing can listen on, is said to have come from there', async () => {
  const env = { HOST: 'x86_64-conda-linux-gnu', INSECURE: 'true' }
  const advice =
    /HOST comes from the environment, where other programs set it too: unset it, or name the address to listen on with --host\n$/
  const up = ['up', '--port', '20000', '--data-dir', join(tmpdir(), 'cohort-never-made')]
  for (const said of [
    await cohort(['connector', '--port', '0', '--hosts', '127.0.0.1:1'], { env }),
    await cohort(['node', '--port', '0', '--data-dir', 'd'], { env }),
    await parsed(up, env),
  ]) {
    assert.equal(said.exitCode, 1, said.stderr)
    assert.match(said.stderr, /^cohort: (connector )?cannot listen on x86_64-conda-linux-gnu:\d+/)
    assert.match(said.stderr, advice)
  }
  const flag = await parsed([...up, '--host', env.HOST, '--insecure'])
  assert.match(flag.stderr, /^cohort: (connector )?cannot listen on x86_64-conda-linux-gnu:\d+/)
  assert.doesNotMatch(flag.stderr, /environment/)
})

test('a damaged cluster.json is named, with what to do', async () => {
  for (const [text, reason] of [
    ['', 'it is empty'],
    ['{"nodes":', 'it does not say how many nodes there are'],
    ['null', 'it does not say how many nodes there are'],
    ['{"nodes":0}', 'it does not say how many nodes there are'],
  ]) {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'cohort-cli-'))
    await writeFile(join(directory.path, 'cluster.json'), text!)
    const { exitCode, stderr } = await parsed(['up', '--port', '20000', '--data-dir', directory.path])
    assert.equal(exitCode, 1)
    assert.ok(stderr.startsWith('cohort: '), stderr)
    assert.ok(stderr.includes(`${directory.path}/cluster.json is damaged: ${reason}. If the folders`), stderr)
  }
  await using directory = await mkdtempDisposable(join(tmpdir(), 'cohort-cli-'))
  await mkdir(join(directory.path, 'cluster.json'))
  const { stderr } = await parsed(['up', '--port', '20000', '--data-dir', directory.path])
  assert.match(stderr, /cluster\.json cannot be read \(EISDIR/)
})

test('a URL of a part of the API, as up prints it, stands for the whole', async () => {
  const url = await deadUrl()
  const { stderr } = await cohort(['get', 'a', '--url', `${url}/v1/group`])
  assert.match(stderr, new RegExp(`^cohort: no connector answers at ${url} `))
})
