/** Runs commands of `cohort` in the process of the tests. */
import { describeFailure } from '../../src/cli/failure.ts'
import { Output } from '../../src/cli/output.ts'
import { runProgram } from '../../src/cli/program.ts'
import type { Variables } from '../../src/config/environment.ts'

/** What a command has printed, and how it ended. */
export type Run = Readonly<{ exitCode: number; stdout: string; stderr: string }>

/** Runs a command in this process. `hasColours`: its output goes to a terminal that has colours. */
export async function cohort(
  args: readonly string[],
  variables: Variables = {},
  { hasColours = false }: { hasColours?: boolean } = {},
): Promise<Run> {
  const printed = { stdout: '', stderr: '' }
  const outputTo = (name: keyof typeof printed) => {
    const write = (text: string) => {
      printed[name] += text
    }
    return new Output(
      { write, writeAll: async () => {}, flush: async () => true, error: undefined },
      { isTerminal: hasColours, columns: undefined, rows: undefined, hasColours },
    )
  }
  const context = {
    environment: { variables, dotEnv: {} },
    stdout: outputTo('stdout'),
    stderr: outputTo('stderr'),
  }
  try {
    await runProgram(context, args)
    const exitCode = Number(process.exitCode ?? 0)
    return { exitCode, ...printed }
  } catch (error) {
    const failure = describeFailure(error)
    if (failure === undefined) throw error
    context.stderr.write(failure.message)
    return { exitCode: failure.exitCode, ...printed }
  } finally {
    process.exitCode = 0
  }
}
