/** Runs `wrk`, the load generator, with one of the scripts of this folder. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What one run of wrk has measured. */
export type WrkResult = Readonly<{
  requests: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** Answers other than 2xx and 3xx, and requests without an answer. */
  errors: number
  /** The CPU time of wrk itself for each request, in µs. */
  loadUs: number
}>

export async function runWrk(
  url: string,
  script: string,
  {
    clients,
    seconds,
    args,
  }: Readonly<{ clients: number | string; seconds: number | string; args: readonly string[] }>,
): Promise<WrkResult> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const options = ['-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '10s', '-s', path, url]
  // `times` prints the CPU time of the shell, and in its last line that of wrk: user and system.
  const command = ['-c', '"$@"; times >&2', 'sh', 'wrk', ...options, '--', ...args]
  const { stdout, stderr } = await promisify(execFile)('sh', command)
  const result = /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout)
  if (result === null) throw new Error(`wrk printed no result:\n${stdout}`)
  const [requests, durationUs, p50Us, p99Us, errors] = result.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  return {
    requests,
    perSecond: requests / (durationUs / 1e6),
    p50Ms: p50Us / 1e3,
    p99Ms: p99Us / 1e3,
    errors,
    loadUs: cpuUsOf(stderr) / requests,
  }
}

/** The CPU time in the last line of what `times` prints: `0m1.230000s 0m0.450000s`. */
function cpuUsOf(times: string): number {
  const parts = [...(times.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  if (parts.length !== 2) throw new Error(`the shell printed no times:\n${times}`)
  return parts.reduce((sum, [, minutes, seconds]) => sum + 6e7 * Number(minutes) + 1e6 * Number(seconds), 0)
}
