import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time in these. */
const TICK_US = 10_000

/** The CPU time that a process has used, all its threads, user and system, in µs. Linux only. */
export function cpuTimeUs(pid: number): number {
  const { utime, stime } = statOf(pid)
  return (utime + stime) * TICK_US
}

/** As `cpuTimeUs`, with the children of the process, also those that have ended. */
export function cpuTimeWithChildrenUs(pid: number): number {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger)
  let ticks = 0
  for (const each of pids) {
    try {
      const { parent, utime, stime, endedTime } = statOf(each)
      if (each === pid || parent === pid) ticks += utime + stime + endedTime
    } catch {
      // It has ended meanwhile, and its parent has its time.
    }
  }
  return ticks * TICK_US
}

function statOf(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the name, in brackets; it may have spaces. The state is the third one.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [parent, utime, stime, endedUtime, endedStime] = [1, 11, 12, 13, 14].map((place) => fields[place]!)
  return { parent: parent!, utime: utime!, stime: stime!, endedTime: endedUtime! + endedStime! }
}
