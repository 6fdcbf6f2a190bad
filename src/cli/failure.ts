import { CommanderError } from 'commander'
import { SettingError } from '../config/setting-error.ts'
import { FaultError } from '../process/fault.ts'
import { EXIT } from './exit-codes.ts'

/**
 * A command that could not do what it was asked. The message is for whoever typed it: one or two sentences.
 */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly exitCode: number

  constructor(message: string, exitCode: number = EXIT.failed, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/**
 * The sentence and the exit code for what a command threw. `undefined`: it is a bug, of which the stack must
 * be seen.
 */
export function describeFailure(error: unknown): Readonly<{ message: string; exitCode: number }> | undefined {
  // Commander has printed its sentence already. Help and the version end with 0.
  if (error instanceof CommanderError)
    return { message: '', exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage }
  if (error instanceof SettingError) return { message: error.message, exitCode: EXIT.usage }
  if (error instanceof CommandFailure) return { message: error.message, exitCode: error.exitCode }
  if (error instanceof FaultError) {
    const exitCode = error.code === 'not_a_member' ? EXIT.removed : EXIT.failed
    return { message: error.message, exitCode }
  }
  if (isSystemError(error)) return { message: describeSystemError(error), exitCode: EXIT.failed }
  return undefined
}

/** An error of the operating system, like ENOSPC: its message is a sentence already. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

function describeSystemError(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  if (error.syscall === 'listen' && error.code === 'EADDRINUSE') {
    return `${error.address}:${error.port} is in use by another process: stop it, or choose another --port`
  }
  return error.message
}
