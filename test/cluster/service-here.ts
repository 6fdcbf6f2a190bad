import { Output } from '../../src/cli/output.ts'
import { runProgram } from '../../src/cli/program.ts'
import { runToEnd } from '../../src/cli/run-to-end.ts'
import { openLog } from '../../src/process/log.ts'
import { Service } from './service.ts'
import { addWitness, removeWitness, within } from './waiting.ts'

/** The time that a node or a connector may take to stop on a busy machine: its longest drain, and more. */
const STOP_MS = 20_000

const NO_TERMINAL = { isTerminal: false, columns: undefined, rows: undefined, hasColours: false }

type Run = Readonly<{ stop: (signal: NodeJS.Signals) => void; ended: Promise<number> }>

/**
 * A node or a connector in the process of the test: the same code, with real sockets and real files, for a
 * tenth of the CPU of a process. It can be stopped and started again. It cannot be killed or suspended: a
 * test that needs that gives the service a process.
 */
export class ServiceHere extends Service {
  #run: Run | undefined

  override get isRunning(): boolean {
    return this.#run !== undefined
  }

  override get pid(): never {
    throw new Error(`${this.name} has no process of its own`)
  }

  override start(): void {
    const stopping = Promise.withResolvers<NodeJS.Signals>()
    const write = (text: string) => {
      this.output += text
    }
    const printed = new Output(
      { write, writeAll: async () => {}, flush: async () => true, error: undefined },
      NO_TERMINAL,
    )
    const context = {
      environment: { variables: { LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'info' }, dotEnv: {} },
      stdout: printed,
      stderr: printed,
      hostProcess: {
        openLog: (settings: Parameters<typeof openLog>[0]) => openLog(settings, { write }),
        stopSignal: () => stopping.promise,
      },
    }
    const running = runToEnd(context, () => runProgram(context, this.args))
    const ended = running.then(({ exitCode }) => {
      this.#run = undefined
      this.exitCodes.push(exitCode)
      return exitCode
    })
    this.#run = { stop: stopping.resolve, ended }
    addWitness(this)
  }

  override signal(name: NodeJS.Signals): void {
    if (name !== 'SIGTERM' && name !== 'SIGINT') throw new Error(`${this.name} has no process for ${name}`)
    this.#run?.stop(name)
  }

  override async end(name: NodeJS.Signals, ms = STOP_MS): Promise<number | null> {
    const exit = this.exit(ms)
    this.signal(name)
    return exit
  }

  override async exit(ms = STOP_MS): Promise<number | null> {
    const run = this.#run
    return run === undefined
      ? (this.exitCodes.at(-1) ?? null)
      : within(ms, run.ended, `${this.name} has ended`)
  }

  override async discard(): Promise<void> {
    await this.end('SIGTERM')
    removeWitness(this)
  }
}
