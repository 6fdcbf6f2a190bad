import { readFileSync } from 'node:fs'

/** Linux counts CPU time in these. */
const TICK_US = 10_000

/** The CPU time that a process has used, all its threads, user and system, in µs. Linux only. */
export function cpuTimeUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the name, in brackets; it may have spaces. utime and stime are the 14th and the 15th.
  const [utime, stime] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return (Number(utime) + Number(stime)) * TICK_US
}
