/** Which limit of the heap a process of `bin/cohort` has. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { THIS_PROGRAM } from '../../test/cluster/service.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/cohort', import.meta.url))
/** Prints the limit of every program that the process runs, one after the other. */
const TELL = 'data:text/javascript,console.log("limit", process.pid, process.execArgv.slice(0, -1).join())'

/** What a machine with little memory says. */
const SMALL =
  'data:text/javascript,import%20v8%20from%20"v8";v8.getHeapStatistics=()=>({heap_size_limit:6e8})'

/** The limits, first to last. */
function limitsOf(command: string, { node = [] as string[], NODE_OPTIONS = '' } = {}): readonly string[] {
  const args = [...node, `--import=${TELL}`, PROGRAM, command, '--help']
  const printed = execFileSync(process.execPath, args, { env: { PATH: process.env.PATH, NODE_OPTIONS } })
  const told = [...printed.toString().matchAll(/^limit (\d+) (.*)$/gm)]
  assert.equal(new Set(told.map(([, pid]) => pid)).size, 1, 'the id of the process stays')
  return told.map(([, , limit]) => limit!)
}

const LIMIT = '--max-old-space-size=1024'

test('a process that serves starts again with a limit of its heap, as tests start it at once', () => {
  for (const command of ['node', 'connector', 'up']) assert.deepEqual(limitsOf(command), ['', LIMIT])
  assert.deepEqual(THIS_PROGRAM, [process.execPath, LIMIT, PROGRAM])
})

test('a limit that the user has set stays, and other commands have none', () => {
  const own = '--max-old-space-size=2000'
  assert.deepEqual(limitsOf('connector', { node: [own] }), [own])
  assert.deepEqual(limitsOf('connector', { NODE_OPTIONS: own }), [''])
  assert.deepEqual(limitsOf('status'), [''])
})

test('the lower limit of a small machine stays', () => {
  const option = `--import=${SMALL}`
  assert.deepEqual(limitsOf('node', { node: [option] }), [option])
})
