/**
 * Runs the checks and the tests: `node test/runner/main.ts [check] [fast] [cluster] [system] [long]`; without
 * a name the first three.
 *
 * A file of tests that takes long, or needs a cluster of its own, runs in a process of its own. The others
 * share one in each folder (`suites.ts`). Tests of one process (`fast`), of clusters (`cluster`) and of whole
 * systems of processes (`system`) run side by side: the first kind needs a core, the others often wait. Files
 * that failed are run once more, alone; if they pass then, the run has passed, and names them. At the end the
 * run names the slowest tests, and what took the most CPU.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { summaryLines, taskLines } from './report.ts'
import { runFiles } from './run-files.ts'
import { processesOf } from './suites.ts'
import { type Finished, failed, type Result, runAgain, runTasks, type Task } from './task.ts'
import { usageReport } from './usage.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const CHECKS: readonly (readonly string[])[] = [
  ['biome', 'check', '--error-on-warnings'],
  ['tsc', '-p', '.'],
]

/** Runs a program of node_modules/.bin. What it prints is shown when it fails. */
async function runProgram([name = '', ...args]: readonly string[]): Promise<Result> {
  const { execArgv, env, takeMs } = usageReport()
  const child = spawn(process.execPath, [...execArgv, `node_modules/.bin/${name}`, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const [code] = await once(child, 'close')
  return { ...(code === 0 ? failed() : failed(output.trim())), cpuMs: takeMs() }
}

async function tasksOf(name: string): Promise<Task[]> {
  if (name === 'check') {
    return CHECKS.map((check) => ({ name: check.join(' '), kind: 'fast', run: () => runProgram(check) }))
  }
  const processes = await processesOf(name)
  return processes.map(({ name: title, files, limits }) => ({
    name: title,
    kind: name,
    run: () => runFiles(files, limits),
  }))
}

/**
 * The slots for these suites, by the cores of the machine. Clusters wait so much that there are more slots
 * than cores: five for two cores. A slot whose kind has no task left takes those of the others.
 */
function slotsFor(names: readonly string[]): string[] {
  if (names.includes('long')) return ['long']
  const cores = Math.max(2, availableParallelism())
  const some = (count: number, kind: string) => Array.from({ length: count }, () => kind)
  const half = Math.ceil(cores / 2)
  if (names.includes('system'))
    return [...some(cores, 'system'), ...some(half, 'cluster'), ...some(cores, 'fast')]
  if (names.includes('cluster')) return [...some(cores, 'cluster'), ...some(cores + half, 'fast')]
  return some(cores, 'fast')
}

process.chdir(ROOT)
// The processes of the tests use it, so that their code is compiled once.
process.env.NODE_COMPILE_CACHE ??= `${ROOT}node_modules/.cache/tests`

const names = process.argv.length > 2 ? process.argv.slice(2) : ['check', 'fast', 'cluster']
const tasks = (await Promise.all(names.map(tasksOf))).flat()
const startMs = performance.now()
const show = (finished: Finished) => {
  for (const line of taskLines(finished)) console.log(line)
}
const first = await runTasks(tasks, slotsFor(names), show)
const all = await runAgain(first, show)
for (const line of summaryLines(all, performance.now() - startMs)) console.log(line)
process.exitCode = all.some(({ result }) => result.failures.length > 0) ? 1 : 0
