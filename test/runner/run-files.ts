/** Files of tests, run by node:test in one process of their own. */
import { relative, resolve } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import type { Result } from './task.ts'
import { usageReport } from './usage.ts'

export type FileLimits = Readonly<{
  /** How long one test may take. */
  testMs: number
  /** How long the files may take together, with the start and the end of their process. */
  fileMs: number
}>

/** What the events of node:test have, as far as it is used here. */
type Event = Readonly<{
  name: string
  file?: string
  nesting: number
  skip?: string | boolean
  message?: string
  details: Readonly<{ duration_ms: number; type?: string; error?: Error & { failureType?: string } }>
}>

const TOGETHER = fileURLToPath(new URL('together.ts', import.meta.url))

/**
 * Runs these files one after the other. A test or a file that exceeds its limit has failed.
 *
 * @param files paths from the working directory, one at least
 */
export async function runFiles(files: readonly string[], { testMs, fileMs }: FileLimits): Promise<Result> {
  const result = {
    passed: 0,
    skipped: 0,
    failures: [] as string[],
    notes: [] as string[],
    timed: [] as Result['timed'][0][],
  }
  const isOne = files.length === 1
  const program = isOne ? resolve(files[0]!) : TOGETHER
  const { execArgv, env, takeMs } = usageReport()
  const options = {
    files: [program],
    argv: isOne ? [] : files,
    execArgv,
    env,
    concurrency: 1,
    timeout: testMs,
    signal: AbortSignal.timeout(fileMs),
  }
  for await (const { type, data } of run(options)) {
    const event = data as unknown as Event
    // A file that has no tests passes as one test of its own name.
    if (type === 'test:pass' && event.name === program) continue
    if (type === 'test:pass') {
      if (event.details.type === 'suite') continue
      if (event.skip === undefined || event.skip === false) result.passed += 1
      else {
        result.skipped += 1
        result.notes.push(`skipped: ${event.name} (${event.skip})`)
      }
    } else if (type === 'test:fail') {
      // The failure of an outer test adds nothing to the failure of its inner test.
      if (event.details.error?.failureType !== 'subtestsFailed') result.failures.push(describeFailure(event))
    } else if (type === 'test:stderr' || type === 'test:stdout') {
      result.notes.push(event.message?.trimEnd() ?? '')
    } else if (type === 'test:diagnostic' && event.file !== undefined) {
      result.notes.push(event.message ?? '')
    }
    if ((type === 'test:pass' || type === 'test:fail') && event.nesting === 0) {
      result.timed.push({ name: event.name, ms: event.details.duration_ms, file: fileOf(event) })
    }
  }
  if (result.failures.length === 0) {
    const tested = new Set(result.timed.map(({ file }) => file))
    const untested = files.filter((file) => !tested.has(relative('', file)))
    // Tests that several files share are in a module of their own, and node:test names that one.
    const shared = tested.difference(new Set(files.map((file) => relative('', file))))
    if (untested.length > shared.size)
      result.failures.push(...untested.map((file) => `${file}\nno test was run`))
  }
  return { ...result, cpuMs: takeMs() }
}

const fileOf = ({ file = '' }: Event) => relative('', file)

function describeFailure(event: Event): string {
  const { error } = event.details
  const cause = error?.cause instanceof Error ? error.cause : error
  return `${event.name} (${fileOf(event)})\n${cause instanceof Error ? inspect(cause, { depth: 4 }) : String(cause)}`
}
