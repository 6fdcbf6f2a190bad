/** One process of the program `cohort`, as tests and benchmarks start, signal and watch it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { addWitness, removeWitness, until, within } from './waiting.ts'

/** How `cohort` is started: a command and its first arguments. */
export type Program = readonly [command: string, ...args: string[]]

/** The program of this tree, with the option with which a process that serves starts itself again. */
export const THIS_PROGRAM: Program = [
  process.execPath,
  '--max-old-space-size=1024',
  fileURLToPath(new URL('../../bin/cohort', import.meta.url)),
]

/**
 * In the environment of every process that a test starts, and of what that starts: the id of the test's own
 * process.
 */
export const STARTED_BY = 'COHORT_TEST_STARTED_BY'

/**
 * The time that a process may take to end, when it was told to or by itself: its start, and its longest
 * drain.
 */
const END_MS = 10_000
/** How long a process may take to listen, on a machine that is busy with others. */
const LISTEN_MS = 20_000

/** A node, a connector or a command. It can be ended and started again on the same port. */
export class Service {
  readonly name: string
  readonly port: number
  /** What `start` runs. Another version may take the service over while it is stopped. */
  program: Program
  protected readonly args: readonly string[]
  readonly #scheme: 'http' | 'https'
  #process: ChildProcess | undefined
  #isStopped = false
  /** Everything that it has written since its first start. */
  output = ''
  /** The exit codes with which it has ended, except ends by a signal. */
  readonly exitCodes: number[] = []

  constructor(
    name: string,
    port: number,
    args: readonly string[],
    program: Program = THIS_PROGRAM,
    scheme: 'http' | 'https' = 'http',
  ) {
    this.name = name
    this.port = port
    this.program = program
    this.args = args
    this.#scheme = scheme
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get url(): string {
    return `${this.#scheme}://${this.address}`
  }

  /** The process id of its current or last run. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Whether there is a process; a stopped one (SIGSTOP) too. */
  get isRunning(): boolean {
    const child = this.#process
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }

  /** Whether it got SIGSTOP, and no SIGCONT since. */
  get isStopped(): boolean {
    return this.isRunning && this.#isStopped
  }

  start(): void {
    const [command, ...args] = this.program
    const child = spawn(command, [...args, ...this.args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'info',
        [STARTED_BY]: String(process.pid),
      },
    })
    const take = (chunk: Buffer) => {
      this.output += chunk.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('exit', (code) => {
      if (code !== null) this.exitCodes.push(code)
    })
    this.#process = child
    this.#isStopped = false
    addWitness(this)
  }

  /** Sends a signal, unless the process has ended. */
  signal(name: NodeJS.Signals): void {
    if (name === 'SIGSTOP' || name === 'SIGCONT') this.#isStopped = name === 'SIGSTOP'
    this.#process?.kill(name)
  }

  /** Sends a signal and waits until the process is gone, for `ms` at most. */
  async end(name: NodeJS.Signals, ms = END_MS): Promise<number | null> {
    const exit = this.exit(ms)
    this.signal(name)
    return exit
  }

  /** Waits for the process to end by itself, for `ms` at most; all that it wrote is in `output` then. */
  async exit(ms = END_MS): Promise<number | null> {
    const child = this.#process
    if (child === undefined) return null
    const closed = [child.stdout!, child.stderr!].map((stream) => stream.closed || once(stream, 'close'))
    if (this.isRunning) await within(ms, once(child, 'exit'), `${this.name} has ended`)
    await within(ms, Promise.all(closed), `nobody holds the output of ${this.name} open`)
    return child.exitCode
  }

  /** Waits until it has written a text that matches, after the first `from` characters of `output`. */
  async says(pattern: RegExp, ms: number, from = 0): Promise<void> {
    await until(`${this.name} says ${pattern}`, ms, () => pattern.test(this.output.slice(from)))
  }

  /** Starts it again after its end, and waits until it listens. */
  async restart(): Promise<void> {
    const from = this.output.length
    this.start()
    await this.says(/"msg":"(node|connector) is listening"/, LISTEN_MS, from)
  }

  /** Ends it at once, and removes its output from later failure messages. */
  async discard(): Promise<void> {
    await this.end('SIGKILL')
    removeWitness(this)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.discard()
  }
}
