/**
 * The CPU time of a process of tests, with that of all processes it has waited for. A process reports its own
 * at its end, because only the process itself knows what its children took.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In the environment of the process: the file to which it writes its CPU time in milliseconds. */
const USAGE_FILE = 'COHORT_TEST_USAGE_FILE'
/** Linux counts in hundredths of a second, whatever the machine. */
const TICK_MS = 10

let count = 0

/** What a process needs so that it reports, and how to get what it reported after its end. */
export type UsageReport = Readonly<{
  execArgv: readonly string[]
  env: NodeJS.ProcessEnv
  /** `undefined` when it was killed, and where the system does not tell. */
  takeMs: () => number | undefined
}>

export function usageReport(): UsageReport {
  count += 1
  const path = join(tmpdir(), `cohort-usage-${process.pid}-${count}`)
  return {
    execArgv: ['--import', fileURLToPath(import.meta.url)],
    env: { ...process.env, [USAGE_FILE]: path },
    takeMs: () => {
      const text = read(path)
      rmSync(path, { force: true })
      return text === undefined ? undefined : Number(text)
    },
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const path = process.env[USAGE_FILE]
if (path !== undefined) {
  // The processes that this one starts do not report.
  delete process.env[USAGE_FILE]
  process.on('exit', () => {
    // After the name in brackets, from the 12th field on: user and system, and the same of the children.
    const stat = read('/proc/self/stat')
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = fields?.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    if (ticks !== undefined) writeFileSync(path, String(ticks * TICK_MS))
  })
}
