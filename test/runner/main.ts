/**
 * Runs the checks and the tests: `node test/runner/main.ts [check] [fast] [cluster] [system] [long]`; without
 * a name the first three.
 *
 * A file of tests that takes long, or needs a cluster of its own, runs in a process of its own. The others
 * share one in each folder. Tests of one process (`fast`) and tests with clusters of processes (`cluster`)
 * run side by side: the first kind needs a core, the second often waits. Files that failed are run once more,
 * alone; if they pass then, the run has passed, and names them. At the end the run names the slowest tests,
 * and what took the most CPU.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { glob } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { summaryLines, taskLines } from './report.ts'
import { type FileLimits, runFiles } from './run-files.ts'
import { type Finished, failed, type Result, runAgain, runTasks, type Task } from './task.ts'
import { usageReport } from './usage.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const MINUTE_MS = 60_000
/** Of the folders whose files share a process: `src/group`, `test/api`. */
const FOLDER_DEPTH = 2
/** So many of them at most, so that none takes nearly as long as it may. */
const FILES_MAX = 10

/**
 * `first`: beginnings of the names of files that take long. They start first, so that none of them runs alone
 * at the end. `alone`: beginnings of the names of files that have a process of their own. `together`: further
 * files that share one, apart from the other files of their folder.
 */
type Suite = Readonly<{
  patterns: readonly string[]
  limits: FileLimits
  first: readonly string[]
  alone: readonly string[]
  together?: readonly string[]
}>

const inCluster = (name: string) => `test/cluster/${name}.test.ts`

/** The files that share a cluster of processes. */
const CLUSTER_OF_PROCESSES = ['failures', 'watch'].map(inCluster)

/** Beginnings of the names of files of whole systems: they need many processes, and take longest. */
const SYSTEMS = [
  // Processes are killed or suspended, disks are full or lost, or members change.
  ...['backup', 'broken-log', 'certificates', 'chaos', 'lost-disk', 'membership'].map(inCluster),
  ...['removal', 'shutdown', 'up'].map(inCluster),
  ...CLUSTER_OF_PROCESSES,
  'test/api/broken-output.',
  'test/postgres/',
  'test/runner/',
]

const SUITES: { readonly [name: string]: Suite } = {
  fast: {
    patterns: ['src/**/*.test.ts', 'test/*.test.ts', 'test/!(cluster|postgres|long)/**/*.test.ts'],
    limits: { testMs: 2 * MINUTE_MS, fileMs: 3 * MINUTE_MS },
    first: ['src/sim/', 'src/node/store', 'test/api/', 'src/node', 'src/cli'],
    alone: [
      'src/sim/',
      'src/node/store/damage.',
      'src/node/store/store-model',
      'src/node/store/rekey',
      'src/node/hostile-peer',
      'src/cli/main',
      'test/bench/',
    ],
  },
  cluster: {
    patterns: ['test/cluster/**/*.test.ts'],
    limits: { testMs: MINUTE_MS, fileMs: 6 * MINUTE_MS },
    first: [],
    // They need clusters with special settings. The others share the cluster that the first of them starts.
    alone: ['keys', 'settings'].map(inCluster),
  },
  system: {
    patterns: ['test/**/*.test.ts'],
    limits: { testMs: MINUTE_MS, fileMs: 6 * MINUTE_MS },
    first: ['test/postgres/', ...CLUSTER_OF_PROCESSES, inCluster('membership'), inCluster('backup')],
    together: CLUSTER_OF_PROCESSES,
    // `up` looks at every process that its own process has started. The other files of test/postgres share
    // the servers that the first of them starts.
    alone: ['test/cluster/', 'test/api/', 'test/runner/', 'test/postgres/up.test.ts'],
  },
  long: {
    patterns: ['test/long/**/*.test.ts', 'test/cluster/version-skew.ts'],
    limits: { testMs: 30 * MINUTE_MS, fileMs: 60 * MINUTE_MS },
    first: [],
    alone: ['test/'],
  },
}

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

/**
 * The files in parts of nearly the same length. Neighbours often take equally long, so they are separated.
 */
function partsOf(files: readonly string[]): string[][] {
  const count = Math.ceil(files.length / FILES_MAX)
  return Array.from({ length: count }, (_, part) => files.filter((_, index) => index % count === part))
}

async function tasksOf(name: string): Promise<Task[]> {
  if (name === 'check') {
    return CHECKS.map((check) => ({ name: check.join(' '), kind: 'fast', run: () => runProgram(check) }))
  }
  const suite = SUITES[name]
  if (suite === undefined)
    throw new Error(`no tests are called "${name}": check, fast, cluster, system or long`)
  const { patterns, limits, first, alone, together = [] } = suite
  const rank = (file: string) => {
    const index = first.findIndex((start) => file.startsWith(start))
    return index === -1 ? first.length : index
  }
  const isOfSystem = (file: string) => SYSTEMS.some((start) => file.startsWith(start))
  const found = (await Array.fromAsync(glob(patterns))).filter(
    (file) => isOfSystem(file) === (name === 'system'),
  )
  const files = found.sort().toSorted((a, b) => rank(a) - rank(b))
  const groups = Map.groupBy(files, (file) => {
    if (together.includes(file)) return together.map((one) => basename(one)).join(', ')
    return alone.some((start) => file.startsWith(start))
      ? file
      : file.split('/').slice(0, FOLDER_DEPTH).join('/')
  })
  return [...groups]
    .flatMap(([group, members]) => partsOf(members).map((files) => ({ group, files })))
    .map(({ group, files }) => ({
      name: files.length === 1 ? files[0]! : `${group} (${files.length} files)`,
      kind: name,
      run: () => runFiles(files, limits),
    }))
}

/**
 * The slots for these suites, by the cores of the machine. Tests wait so much that there are more slots than
 * cores: for every two cores five. A slot whose kind has no task left takes those of the others.
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
