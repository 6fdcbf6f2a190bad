import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TlsPaths } from '../tls/material.ts'

/** For tests: a node in a process of its own, on a free port. */
export type NodeProcess = Readonly<{
  child: ChildProcess
  /** The lines that it has printed. */
  lines: string[]
  /** Its address, once it listens. */
  listening: Promise<string>
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>
}>

const MAIN = fileURLToPath(new URL('../node/main.ts', import.meta.url))

const PROGRAM = `
  const { runNode } = await import(process.argv[1])
  const more = JSON.parse(process.argv[2])
  const settings = { host: '127.0.0.1', port: 0, logLevel: 'info', scrubPeriodMs: 86_400_000, ...more }
  try { await runNode(settings) } catch (error) { console.log(error.message); process.exitCode = 1 }
`

export type NodeProcessOptions = Readonly<{
  /** No file that the node writes can become larger than this many KiB (`ulimit -f` of the shell). */
  fileBlocksMax?: string | undefined
  clusterId?: string | undefined
  tls?: TlsPaths | undefined
}>

export function startNodeProcess(
  dataDir: string,
  { fileBlocksMax = 'unlimited', clusterId, tls }: NodeProcessOptions = {},
): NodeProcess {
  const script = `ulimit -f ${fileBlocksMax}; exec "$@"`
  const settings = JSON.stringify({ dataDir, clusterId, tls })
  const program = [process.execPath, '--input-type=module', '--eval', PROGRAM, MAIN, settings]
  const child = spawn('bash', ['-c', script, 'bash', ...program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const { promise: listening, resolve, reject } = Promise.withResolvers<string>()
  // A test that does not await this promise must not fail because of it.
  listening.catch(() => undefined)
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    const port = /"port":(\d+),.*"msg":"node is listening"/.exec(line)?.[1]
    if (port !== undefined) resolve(`127.0.0.1:${port}`)
  })
  const ended = once(child, 'close').then(([code, signal]) => {
    reject(new Error(`the node ended: ${lines.join('\n')}`))
    assert.ok(typeof code === 'number' || typeof signal === 'string')
    return code ?? signal
  })
  return { child, lines, listening, ended }
}
