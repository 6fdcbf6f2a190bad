/** Which files of tests each suite has, and which of them share a process. */
import { glob } from 'node:fs/promises'
import { basename } from 'node:path'
import type { FileLimits } from './run-files.ts'

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
    // They need clusters with special settings. The others share a cluster in each process of them.
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

/** The names of all suites. */
export const SUITE_NAMES = Object.keys(SUITES)

/** The files of one process of tests. */
export type TestProcess = Readonly<{ name: string; files: readonly string[]; limits: FileLimits }>

/**
 * The files in parts of nearly the same length. Neighbours often take equally long, so they are separated.
 */
function partsOf(files: readonly string[]): string[][] {
  const count = Math.ceil(files.length / FILES_MAX)
  return Array.from({ length: count }, (_, part) => files.filter((_, index) => index % count === part))
}

/** The processes of a suite, in the order in which they begin. Call it in the root of the tree. */
export async function processesOf(name: string): Promise<TestProcess[]> {
  const suite = SUITES[name]
  if (suite === undefined)
    throw new Error(
      `no tests are called "${name}": check, ${SUITE_NAMES.slice(0, -1).join(', ')} or ${SUITE_NAMES.at(-1)}`,
    )
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
      files,
      limits,
    }))
}

/** Beginnings of names that this file has; each should be that of a file. */
export const NAMED: readonly string[] = [
  ...SYSTEMS,
  ...Object.values(SUITES).flatMap(({ first, alone, together = [] }) => [...first, ...alone, ...together]),
]
