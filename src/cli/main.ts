/**
 * The program `cohort`: runs the command, and turns an error of the command into a message and an exit code.
 */
import { type Context, contextOfProcess } from './context.ts'
import { EXIT } from './exit-codes.ts'
import { describeFailure } from './failure.ts'
import { programOf } from './program.ts'
import { refuseGarbledArguments } from './raw-arguments.ts'

/** How long a process that has failed waits until its output has been read. */
const FAILURE_FLUSH_MS = 5_000

await main(contextOfProcess())

async function main(context: Context): Promise<void> {
  const { stdout, stderr } = context
  try {
    refuseGarbledArguments(process.argv.slice(2))
    await programOf(context).parseAsync(process.argv)
  } catch (error) {
    const failure = describeFailure(error)
    if (failure === undefined) throw error
    if (failure.message !== '') stderr.write(`cohort: ${failure.message}\n`)
    await Promise.all([stdout.flush(FAILURE_FLUSH_MS), stderr.flush(FAILURE_FLUSH_MS)])
    // Exit at once: a process that has started only in part must not go on.
    process.exit(failure.exitCode === EXIT.ok ? exitCodeOf(context) : failure.exitCode)
  }
  const isFlushed = await stdout.flush()
  process.exitCode = exitCodeOf(context)
  // Text that waits for its reader would keep the process running.
  if (!isFlushed) process.exit()
}

/** The exit code of a command that has done its work: it depends on whether the output could be printed. */
function exitCodeOf({ stdout, stderr }: Context): number {
  const { loss, hasLostAnswer } = stdout
  if (loss !== undefined) stderr.write(`cohort: not everything could be printed (${loss.message})\n`)
  const exitCode = Number(process.exitCode ?? EXIT.ok)
  return exitCode === EXIT.ok && hasLostAnswer ? EXIT.unprinted : exitCode
}
