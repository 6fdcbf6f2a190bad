/** Programs of the project that a long test runs to their end. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The number of characters of output that are shown of a failed program. */
const OUTPUT_SHOWN = 8_000

/**
 * Runs a program from the root of the project and asserts that it ends with 0 within `ms`. One that takes
 * longer is killed, with every process that it has started.
 *
 * @returns all that it has written, on both outputs
 */
export async function runProgram(ms: number, command: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    process.kill(-child.pid!, 'SIGKILL')
  }, ms)
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  const end = isLate ? `was killed after ${ms} ms` : `ended with ${code ?? signal}`
  assert.equal(code, 0, `${command} ${args.join(' ')} ${end}:\n${output.slice(-OUTPUT_SHOWN)}`)
  return output
}

/** Runs a TypeScript file of the project with the Node of this process. */
export function runScript(ms: number, file: string, ...args: readonly string[]): Promise<string> {
  return runProgram(ms, process.execPath, file, ...args)
}
