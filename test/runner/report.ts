/** What a run prints. */
import type { Finished } from './task.ts'

const SLOWEST = 10
/** How many lines of a failure are shown again at the end. */
const REASON_LINES = 8

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`

/** The lines for a task that has just finished. */
export function taskLines({ task, ms, result }: Finished): string[] {
  const { passed, skipped, failures, notes, cpuMs } = result
  const mark = failures.length === 0 ? '✔' : '✖'
  const tests = passed + failures.length === 0 ? '' : `  ${passed} passed`
  const others = [skipped > 0 && `${skipped} skipped`, failures.length > 0 && `${failures.length} FAILED`]
  const counts = [tests, ...others.filter((text) => text !== false)].join(', ')
  return [
    `${mark} ${task.name}${counts}  ${seconds(ms)}${cpuMs === undefined ? '' : `, CPU ${seconds(cpuMs)}`}`,
    ...notes.flatMap((note) => indent(note)),
    ...failures.flatMap((failure) => indent(`✖ ${failure}`)),
  ]
}

/** The lines at the end: how all failures begin, the slowest tests, what took the most CPU, and the sums. */
export function summaryLines(all: readonly Finished[], totalMs: number): string[] {
  const failures = all.flatMap(({ result }) => result.failures)
  const unstable = all.flatMap(({ result }) => result.unstable ?? [])
  const timed = all.flatMap(({ result }) => result.timed).toSorted((a, b) => b.ms - a.ms)
  const costly = all
    .filter(({ result }) => result.cpuMs !== undefined)
    .toSorted((a, b) => b.result.cpuMs! - a.result.cpuMs!)
  const sum = (pick: (finished: Finished) => number) => all.reduce((total, one) => total + pick(one), 0)
  const passed = sum(({ result }) => result.passed)
  const cpu = costly.length === 0 ? '' : `, CPU ${seconds(sum(({ result }) => result.cpuMs ?? 0))}`
  const skipped = sum(({ result }) => result.skipped)
  return [
    ...(timed.length === 0 ? [] : ['', `The ${Math.min(SLOWEST, timed.length)} slowest tests:`]),
    ...timed.slice(0, SLOWEST).map(({ name, ms, file }) => `${seconds(ms).padStart(8)}  ${name} (${file})`),
    ...(costly.length === 0 ? [] : ['', 'The most CPU:']),
    ...costly
      .slice(0, SLOWEST)
      .map(({ task, result }) => `${seconds(result.cpuMs!).padStart(8)}  ${task.name}`),
    ...titled('Failed beside other tests, and passed alone:', unstable),
    ...titled('Failed:', failures),
    '',
    `${passed} tests passed, ${skipped} skipped, ${failures.length} failed, in ${seconds(totalMs)}${cpu}`,
  ]
}

function titled(title: string, failures: readonly string[]): string[] {
  if (failures.length === 0) return []
  return [
    '',
    title,
    ...failures.flatMap((failure) => [`✖ ${failure}`.split('\n').slice(0, REASON_LINES).join('\n')]),
  ]
}

function indent(text: string): string[] {
  return text.split('\n').map((line) => `    ${line}`)
}
