import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ServicePlan } from './cluster-plan.ts'

/** How a process ended: with an exit code, or by a signal. */
export type End = Readonly<{ code: number | null; signal: NodeJS.Signals | null; livedMs: number }>

export type ServiceHandlers = Readonly<{
  onLine: (line: string) => void
  /** After its last line. */
  onEnd: (end: End) => void
}>

const PROGRAM = fileURLToPath(new URL('../../../bin/cohort', import.meta.url))

/** One life of one service: a process of its own, from the moment this is made. */
export class ServiceProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<void>

  constructor({ args }: ServicePlan, { onLine, onEnd }: ServiceHandlers) {
    const startMs = performance.now()
    const child = spawn(process.execPath, [...process.execArgv, PROGRAM, ...args], {
      // The channel tells the child when this process is gone, however it died (stop-with-parent.ts).
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A process group of its own: Ctrl-C in the terminal reaches `up` alone, which stops the services in order.
      detached: true,
    })
    this.#child = child
    for (const output of [child.stdout!, child.stderr!]) {
      createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine)
    }
    this.#ended = new Promise((resolve) => {
      let isOver = false
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        if (isOver) return
        isOver = true
        resolve()
        onEnd({ code, signal, livedMs: performance.now() - startMs })
      }
      child.on('close', end)
      child.on('error', (error) => {
        onLine(error.message)
        // No process came into being: there will be no `close`.
        if (child.pid === undefined) end(1, null)
      })
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Asks it to end, and makes it after `graceMs`. Resolves once it is gone: `false` when it had to be made. */
  async stop(graceMs: number): Promise<boolean> {
    let isClean = true
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => {
      isClean = false
      this.kill()
    }, graceMs)
    await this.#ended
    clearTimeout(timer)
    return isClean
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
