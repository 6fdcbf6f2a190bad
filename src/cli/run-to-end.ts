import type { Context } from './context.ts'
import { EXIT } from './exit-codes.ts'
import { describeFailure } from './failure.ts'

/** How long a process that has failed waits until its output has been read. */
const FAILURE_FLUSH_MS = 5_000

/** How the process of a command ends. `mustExit`: at once, whatever it still has to do. */
export type End = Readonly<{ exitCode: number; mustExit: boolean }>

/**
 * Does the work of a command and waits until its output has been read. An error of the command becomes a
 * message and an exit code; a bug is thrown. The work reports its own exit code in `process.exitCode`.
 */
export async function runToEnd(context: Context, work: () => Promise<unknown>): Promise<End> {
  const { stdout, stderr } = context
  try {
    await work()
  } catch (error) {
    const failure = describeFailure(error)
    if (failure === undefined) throw error
    if (failure.message !== '') stderr.write(`cohort: ${failure.message}\n`)
    await Promise.all([stdout.flush(FAILURE_FLUSH_MS), stderr.flush(FAILURE_FLUSH_MS)])
    const exitCode = failure.exitCode === EXIT.ok ? exitCodeOf(context) : failure.exitCode
    // A process that has started only in part must not go on.
    return { exitCode, mustExit: true }
  }
  const isFlushed = await stdout.flush()
  // Text that waits for its reader would keep the process running.
  return { exitCode: exitCodeOf(context), mustExit: !isFlushed }
}

/** The exit code of a command that has done its work: it depends on whether the output could be printed. */
function exitCodeOf({ stdout, stderr }: Context): number {
  const { loss, hasLostAnswer } = stdout
  if (loss !== undefined) stderr.write(`cohort: not everything could be printed (${loss.message})\n`)
  const exitCode = Number(process.exitCode ?? EXIT.ok)
  return exitCode === EXIT.ok && hasLostAnswer ? EXIT.unprinted : exitCode
}
