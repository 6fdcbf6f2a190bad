import { CommanderError } from 'commander'
import { SettingError } from '../config/setting-error.ts'
import { FaultError } from '../process/fault.ts'
import { EXIT } from './exit-codes.ts'

/**
 * A command could not do its work. The message tells the user why, in one or two sentences.
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
 * The message and the exit code for an error that a command threw. `undefined`: the error is a bug, and its
 * stack must be shown.
 */
export function describeFailure(error: unknown): Readonly<{ message: string; exitCode: number }> | undefined {
  // Commander has printed its message already. Help and the version end with 0.
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

/** Whether it is an error of the operating system, like ENOSPC. Its message can be shown as it is. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

function describeSystemError(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  if (error.syscall === 'listen' && error.code === 'EADDRINUSE') {
    return `${error.address}:${error.port} is in use by another process: stop it, or choose another --port`
  }
  return error.message
}
