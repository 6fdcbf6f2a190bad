import type { ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { PassThrough } from 'node:stream'

/** For tests: a child process that writes and ends when it is told to. */
export class FakeChild extends EventEmitter {
  readonly stdout = new PassThrough()
  readonly stderr = new PassThrough()
  /** The signals that were sent to it. */
  readonly signals: NodeJS.Signals[] = []
  /** `undefined`: it could not be started. */
  pid: number | undefined = 4242

  kill(signal: NodeJS.Signals): boolean {
    this.signals.push(signal)
    return true
  }

  /** Ends the child, and closes its outputs. */
  async end(code: number | null, signal: NodeJS.Signals | null = null): Promise<void> {
    for (const output of [this.stdout, this.stderr]) {
      output.end()
      await once(output, 'close')
    }
    this.emit('close', code, signal)
  }

  asChild(): ChildProcess {
    return this as unknown as ChildProcess
  }
}
