import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { environmentOfChild } from '../../config/environment.ts'
import { type Clock, systemClock } from '../../process/clock.ts'
import type { ServicePlan } from './cluster-plan.ts'

/** How a process ended: with an exit code, or by a signal. */
export type End = Readonly<{ code: number | null; signal: NodeJS.Signals | null; livedMs: number }>

export type ServiceHandlers = Readonly<{
  onLine: (line: string) => void
  /** Called after the last line. */
  onEnd: (end: End) => void
}>

const PROGRAM = fileURLToPath(new URL('../../../bin/cohort', import.meta.url))

/** What starts and times a process. Tests replace it. */
export type Surroundings = Readonly<{
  clock: Pick<Clock, 'nowMs' | 'after'>
  spawn: (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess
}>

type RunPlan = Pick<ServicePlan, 'program' | 'args' | 'environment' | 'stopSignal'>

/** One run of one service, as a process of its own. The constructor starts the process. */
export class ServiceProcess {
  readonly #child: ChildProcess
  readonly #clock: Surroundings['clock']
  readonly #ended: Promise<void>
  readonly #stopSignal: NodeJS.Signals
  readonly #guard: ChildProcess | undefined

  constructor(
    { program, args, environment, stopSignal }: RunPlan,
    { onLine, onEnd }: ServiceHandlers,
    { clock, spawn: start }: Surroundings = { clock: systemClock, spawn },
  ) {
    const startMs = clock.nowMs()
    const own = [process.execPath, ...process.execArgv, PROGRAM]
    const [command, ...first] = program === undefined ? own : [program]
    const child = start(command!, [...first, ...args], {
      // By the channel this program notices when this process is gone (stop-with-parent.ts).
      stdio: ['ignore', 'pipe', 'pipe', ...(program === undefined ? (['ipc'] as const) : [])],
      ...(environment && { env: environmentOfChild(environment) }),
      // The child has a process group of its own. So Ctrl-C in the terminal reaches only `up`, which stops
      // the services in order.
      detached: true,
    })
    this.#child = child
    this.#clock = clock
    this.#stopSignal = stopSignal ?? 'SIGTERM'
    if (program !== undefined && child.pid !== undefined)
      this.#guard = guard(child.pid, this.#stopSignal, start)
    for (const output of [child.stdout!, child.stderr!]) {
      createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine)
    }
    this.#ended = new Promise((resolve) => {
      let isOver = false
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        if (isOver) return
        isOver = true
        this.#guard?.kill('SIGKILL')
        resolve()
        onEnd({ code, signal, livedMs: clock.nowMs() - startMs })
      }
      child.on('close', end)
      child.on('error', (error) => {
        onLine(error.message)
        // There is no process, so there will be no `close`.
        if (child.pid === undefined) end(1, null)
      })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /**
   * Sends the signal that stops it, and SIGKILL after `graceMs`. Resolves when the process is gone: with
   * `false` if it had to be killed.
   */
  async stop(graceMs: number): Promise<boolean> {
    let isClean = true
    this.#child.kill(this.#stopSignal)
    const cancel = this.#clock.after(graceMs, () => {
      isClean = false
      this.kill()
    })
    await this.#ended
    cancel()
    return isClean
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/**
 * A process that stops another program when this process is gone, however it has ended: the system closes the
 * pipe between the two then.
 */
function guard(pid: number, signal: NodeJS.Signals, start: Surroundings['spawn']): ChildProcess {
  const script = 'read -r _; kill -s "$2" "$1"'
  const child = start('/bin/sh', ['-c', script, 'guard', String(pid), signal.slice('SIG'.length)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Ctrl-C must not end it.
    detached: true,
  })
  child.on('error', () => undefined)
  return child
}
