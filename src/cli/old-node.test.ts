/**
 * `bin/cohort` where the Node of the system is too old: another Node stands between the user and the
 * program.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../bin/cohort', import.meta.url))
const NODE_MAJOR_MIN = 26

/** A Node of this machine that cannot run the program. `undefined`: there is none. */
const OLD_NODE = (process.env.PATH ?? '')
  .split(delimiter)
  .map((directory) => join(directory, 'node'))
  .find((path) => existsSync(path) && majorOf(path) < NODE_MAJOR_MIN)

function majorOf(node: string): number {
  return Number(/^v(\d+)/.exec(execFileSync(node, ['--version']).toString())?.[1])
}

/** The ways to the program: the file as it is, and as an argument of the old Node. */
const WAYS = OLD_NODE === undefined ? [] : [`'${PROGRAM}'`, `'${OLD_NODE}' '${PROGRAM}'`]
const UNLESS = OLD_NODE === undefined ? 'no Node below 26 in the PATH' : false

async function inShell(script: string) {
  const cwd = await mkdtemp(join(tmpdir(), 'cohort-old-node-'))
  const child = spawn('bash', ['-c', script], {
    cwd,
    env: { PATH: `${dirname(OLD_NODE!)}:/usr/bin:/bin` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
      })
    }
    await once(child, 'close', { signal: AbortSignal.timeout(30_000) })
    return { exitCode: child.exitCode, output, files: await readdir(cwd) }
  } finally {
    // A process that was not to run is told to stop by the one that stands in for it.
    child.kill('SIGTERM')
    await rm(cwd, { recursive: true })
  }
}

test('arguments that are not UTF-8 are refused by name, whichever Node is asked to run the program', {
  skip: UNLESS,
}, async () => {
  for (const cohort of WAYS) {
    for (const [script, shown] of [
      [`${cohort} create $'caf\\xe9'`, 'caf\\xe9'],
      [`${cohort} get a$'\\xff\\xfe'b --json`, 'a\\xff\\xfeb'],
      [`${cohort} create a --label=k=$'\\xe2\\x82'`, '--label=k=\\xe2\\x82'],
      [`${cohort} backup --out $'caf\\xe9.jsonl'`, 'caf\\xe9.jsonl'],
    ] as const) {
      const { exitCode, output, files } = await inShell(script)
      assert.equal(output, `cohort: the argument "${shown}" is not UTF-8 text\n`, script)
      assert.deepEqual([exitCode, files], [2, []], script)
    }
  }
})

test('variables that are not UTF-8 are refused by name, whichever Node is asked to run the program', {
  skip: UNLESS,
}, async () => {
  for (const cohort of WAYS) {
    const { exitCode, output, files } = await inShell(`DATA_DIR=$'caf\\xe9' ${cohort} node --port 0`)
    assert.equal(output, 'cohort: DATA_DIR (from the environment) must be UTF-8 text, got "caf\\xe9"\n')
    assert.deepEqual([exitCode, files], [2, []])
  }
})

test('U+FFFD itself is a character like any other, whichever Node is asked to run the program', {
  skip: UNLESS,
}, async () => {
  for (const cohort of WAYS) {
    const { exitCode, output } = await inShell(`${cohort} get $'\\xef\\xbf\\xbd' --url http://127.0.0.1:1`)
    assert.equal(exitCode, 1)
    assert.match(output, /no connector answers/)
  }
})
